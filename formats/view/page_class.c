#include "page_class.h"

static const struct {
	const char *name;
	char letter;
} classes[PAGE_CLASSES] = {
	[CLASS_HOLE] = { "unmapped", ' ' },
	[CLASS_UNTOUCHED] = { "untouched", '.' },
	[CLASS_PRIVATE] = { "private", 'p' },
	[CLASS_FILE] = { "file", 'f' },
	[CLASS_SHARED] = { "shared", '=' },
	[CLASS_UNREAD] = { "unread", '?' },
	[CLASS_DUMPED] = { "dumped", 'd' },
	[CLASS_DUMP_HOLE] = { "hole", 'h' },
	[CLASS_SWAPPED] = { "swapped", 's' },
	[CLASS_COPIED] = { "copied", '#' },
	[CLASS_NEW] = { "new", '+' },
	[CLASS_GONE] = { "gone", '-' },
	[CLASS_WRITTEN] = { "written", 'w' },
	[CLASS_OTHER] = { "other", '~' },
	[CLASS_CHILD] = { "copied_by_child", '%' },
	[CLASS_SWAPPED_OUT] = { "swapped_out", 'S' },
	[CLASS_SWAPPED_IN] = { "swapped_in", 'i' },
};

const char *class_words(int page_class)
{
	switch (page_class) {
	case CLASS_CHILD:
		return "copied by child";
	case CLASS_DUMP_HOLE:
		return "holes";
	case CLASS_SWAPPED:
		return "in swap";
	case CLASS_SWAPPED_OUT:
		return "swapped out";
	case CLASS_SWAPPED_IN:
		return "swapped in";
	default:
		return classes[page_class].name;
	}
}

const char *class_name(int page_class)
{
	return classes[page_class].name;
}

char class_letter(int page_class)
{
	return classes[page_class].letter;
}

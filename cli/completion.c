/* Completion for shells, from the tables of commands and options. */
#include "completion.h"

#include <string.h>

#include "help.h"
#include "say.h"

int completion_print(const char *shell)
{
	static const struct {
		const char *shell;
		void (*print)(struct output *output);
	} shells[] = { { "bash", completion_bash }, { "zsh", completion_zsh }, { "fish", completion_fish } };
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shell, shells[i].shell))
			continue;
		const struct options plain = { 0 };
		struct output output;
		output_init(&output, &plain);
		shells[i].print(&output);
		return output_finish(&output, VMSNAP_OK, NULL);
	}
	return trouble("--completion knows bash, zsh and fish, not '%s'", shell);
}

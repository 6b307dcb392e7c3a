/* other_version.c - a library that says it is another version of vmsnap's. */
const char *vmsnap_version(void);
__attribute__((visibility("default"))) const char *vmsnap_version(void)
{
	return "9.9.9";
}

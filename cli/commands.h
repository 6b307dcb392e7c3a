/* commands.h - what each command does.  Each returns an exit status. */
#ifndef VMSNAP_CLI_COMMANDS_H
#define VMSNAP_CLI_COMMANDS_H

struct options;

int cmd_capture(const struct options *options);
int cmd_record(const struct options *options);
int cmd_show(const struct options *options);
int cmd_pages(const struct options *options);
int cmd_page(const struct options *options);
int cmd_dump(const struct options *options);
int cmd_diff(const struct options *options);
int cmd_cow(const struct options *options);
int cmd_group(const struct options *options);
int cmd_map(const struct options *options);
int cmd_status(const struct options *options);
int cmd_series(const struct options *options);
int cmd_list(const struct options *options);
int cmd_report(const struct options *options);
int cmd_export(const struct options *options);
int cmd_copy(const struct options *options);
int cmd_check(const struct options *options);
int cmd_who(const struct options *options);
int cmd_blame(const struct options *options);

#endif

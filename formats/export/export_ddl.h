/* export_ddl.h - the schema in SQL, for each of three databases. */
#ifndef VMSNAP_EXPORT_DDL_H
#define VMSNAP_EXPORT_DDL_H

/* Tables, then views; malloc'ed, NULL if there is no memory.  dialect: enum vmsnap_schema_dialect. */
char *export_ddl(int dialect);

#endif

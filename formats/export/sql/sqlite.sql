-- Mappings as other databases have them: here with their size and their permissions as a number, which takes fewer bytes.
-- What does not fit into SQLite's numbers, which have a sign, is no floating-point number either.
DROP VIEW IF EXISTS vma;
CREATE VIEW vma AS
SELECT snapshot, start_addr,
       CASE WHEN start_addr > 0 AND size > 9223372036854775807 - start_addr
            THEN (start_addr - 9223372036854775807 - 1) + (size - 9223372036854775807 - 1)
            ELSE start_addr + size END AS end_addr,
       object, file_offset,
       substr('---p---s--xp--xs-w-p-w-s-wxp-wxsr--pr--sr-xpr-xsrw-prw-srwxprwxs', 4 * perm_bits + 1, 4) AS perms,
       resident, swapped, exclusive_bytes, zero, huge, file, written, guard
FROM mapping;


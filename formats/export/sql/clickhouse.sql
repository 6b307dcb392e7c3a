-- The questions that people ask (docs/archive.md), in words that ClickHouse 18.16 understands as well as
-- those of today.  A row may be there twice until parts are merged, and rows may be there of a snapshot whose
-- load was stopped: each view takes a row once (FINAL: as each shard would merge them, the last that came), and those
-- of snapshots whose own row, the last, is there.  Nothing comes of snapshots of which `resident` is not known.
DROP TABLE IF EXISTS snapshot_once;
CREATE VIEW snapshot_once AS SELECT * FROM snapshot FINAL;
DROP TABLE IF EXISTS object_once;
CREATE VIEW object_once AS SELECT * FROM object FINAL;
DROP TABLE IF EXISTS vma_once;
CREATE VIEW vma_once AS SELECT * FROM vma FINAL;
DROP TABLE IF EXISTS run_once;
CREATE VIEW run_once AS SELECT * FROM run FINAL;
DROP TABLE IF EXISTS event_once;
CREATE VIEW event_once AS SELECT * FROM event FINAL;

-- The last snapshot of each process.
DROP TABLE IF EXISTS newest;
CREATE VIEW newest AS
SELECT * FROM snapshot_once WHERE snapshot IN
(SELECT argMax(snapshot, taken_ns) FROM snapshot GROUP BY ifNull(host, ''), ifNull(boot_id, ''), pid, start_ticks);

-- 1. What grew, by mapping, from a process's first snapshot to its last.
DROP TABLE IF EXISTS growth;
CREATE VIEW growth AS
SELECT host, pid, comm, name, first_resident, last_resident, last_resident - first_resident AS grown, seconds FROM
(
  SELECT host, boot, pid, start_ticks, any(comm) AS comm, object, any(seconds) AS seconds,
         toInt64(sumIf(resident, mark = 0)) AS first_resident, toInt64(sumIf(resident, mark = 1)) AS last_resident
  FROM vma_once ALL INNER JOIN
  (
    SELECT host, boot, pid, start_ticks, comm, seconds, tupleElement(one, 1) AS snapshot, tupleElement(one, 2) AS mark FROM
    (
      SELECT ifNull(host, '') AS host, ifNull(boot_id, '') AS boot, pid, start_ticks, argMax(comm, taken_ns) AS comm,
             (max(taken_ns) - min(taken_ns)) / 1e9 AS seconds,
             arrayJoin([(argMin(snapshot, taken_ns), 0), (argMax(snapshot, taken_ns), 1)]) AS one
      FROM snapshot_once WHERE all_vmas = 1
      GROUP BY host, boot, pid, start_ticks HAVING count() > 1
    )
  ) AS those USING (snapshot)
  GROUP BY host, boot, pid, start_ticks, object
) AS these ALL INNER JOIN (SELECT object, name FROM object_once) AS those USING (object);

-- 2. Who had a frame: SELECT * FROM frame_holder WHERE first_pfn <= 4711 AND last_pfn >= 4711.
DROP TABLE IF EXISTS frame_holder;
CREATE VIEW frame_holder AS
SELECT assumeNotNull(pfn) AS first_pfn, assumeNotNull(pfn) + pages - 1 AS last_pfn, host, boot_id, taken_ns, pid, comm,
       start_addr, pages, flags, snapshot
FROM run_once ALL INNER JOIN (SELECT snapshot, host, boot_id, taken_ns, pid, comm FROM snapshot_once) AS those USING (snapshot)
WHERE pfn IS NOT NULL;

-- 3. What the processes of one instant take: PSS and USS, each frame once where it is its own.
DROP TABLE IF EXISTS group_memory;
CREATE VIEW group_memory AS
SELECT host, taken_ns, service, processes, all_rss AS rss, if(pss_unknown = 0, all_pss, NULL) AS pss,
       if(uss_unknown = 0, all_uss, NULL) AS uss, if(with_unknown = 0, all_with, NULL) AS private_with_others FROM
(
SELECT host, boot, taken_ns, service, count() AS processes, sum(rss) AS all_rss,
       countIf(pss IS NULL) AS pss_unknown, sum(pss) AS all_pss, countIf(uss IS NULL) AS uss_unknown, sum(uss) AS all_uss,
       countIf(private_with_others IS NULL) AS with_unknown, sum(private_with_others) AS all_with
FROM (SELECT * FROM group_share FINAL) AS these ALL INNER JOIN
(SELECT snapshot, ifNull(host, '') AS host, ifNull(boot_id, '') AS boot, taken_ns,
        coalesce(unit, container, comm) AS service FROM snapshot_once) AS those USING (snapshot)
GROUP BY host, boot, taken_ns, service
);

-- 4. Code that is no more what its file has: private pages where only the file's should be.
DROP TABLE IF EXISTS privatised_text;
CREATE VIEW privatised_text AS
SELECT host, pid, comm, taken_ns, name, start_addr, end_addr, private_bytes, snapshot FROM
(
  SELECT snapshot, object, start_addr, end_addr, resident - file AS private_bytes, host, pid, comm, taken_ns FROM
  (SELECT * FROM vma_once WHERE substring(perms, 3) = 'xp' AND resident > file) AS these
  ALL INNER JOIN (SELECT snapshot, host, pid, comm, taken_ns FROM snapshot_once) AS those USING (snapshot)
) AS these ALL INNER JOIN
(SELECT object, name FROM object_once WHERE inode != 0 OR dev_major != 0 OR dev_minor != 0) AS those USING (object);

-- 5. How much of the memory that is no file's is in huge pages, by program.
DROP TABLE IF EXISTS thp_coverage;
CREATE VIEW thp_coverage AS
SELECT exe, processes, anonymous, in_huge AS huge, if(anonymous = 0, NULL, round(100 * in_huge / anonymous, 1)) AS percent FROM
(SELECT exe, count() AS processes, sum(resident - file) AS anonymous, sum(huge) AS in_huge FROM newest WHERE huge IS NOT NULL
 GROUP BY exe);

-- 6. Swap, by service.
DROP TABLE IF EXISTS service_swap;
CREATE VIEW service_swap AS
SELECT host_name AS host, service, processes, if(swap_unknown = 0, in_swap, NULL) AS swapped, present AS resident FROM
(SELECT ifNull(host, '') AS host_name, coalesce(unit, container, comm) AS service, count() AS processes,
        countIf(ifNull(swapped, vm_swap) IS NULL) AS swap_unknown, sum(ifNull(swapped, vm_swap)) AS in_swap,
        sum(resident) AS present FROM newest GROUP BY host_name, service);

-- 7. One file, several builds.  One that was replaced has " (deleted)" behind its name where it is still mapped.
DROP TABLE IF EXISTS build_difference;
CREATE VIEW build_difference AS
SELECT file AS name, build_id, uniqExact(host) AS hosts, uniqExact(host, pid) AS processes, min(host) AS example_host,
       min(pid) AS example_pid
FROM
(
  SELECT object, host, pid FROM (SELECT snapshot, object FROM vma_once) AS these ALL INNER JOIN
  (SELECT snapshot, ifNull(host, '') AS host, pid FROM newest) AS those USING (snapshot)
) AS these ALL INNER JOIN
(
  SELECT object, build_id, if(endsWith(name, ' (deleted)'), substring(name, 1, length(name) - 10), name) AS file
  FROM object_once WHERE build_id IS NOT NULL AND file IN
  (
    SELECT same FROM
    (SELECT build_id, if(endsWith(name, ' (deleted)'), substring(name, 1, length(name) - 10), name) AS same FROM object
     WHERE build_id IS NOT NULL AND object IN (SELECT object FROM vma WHERE snapshot IN (SELECT snapshot FROM snapshot)))
    GROUP BY same HAVING uniqExact(build_id) > 1
  )
) AS those USING (object)
GROUP BY file, build_id;

-- 8. What forks copied, by minute.
DROP TABLE IF EXISTS fork_minute;
CREATE VIEW fork_minute AS
SELECT host, parent_pid, any(comm) AS comm, minute, uniqExact(child) AS children,
       max(if(verdict = 'copied_by_parent', bytes, 0)) AS by_parent, max(if(verdict = 'copied_by_child', bytes, 0)) AS by_child,
       max(if(verdict IN ('copied', 'copied_by_both'), bytes, 0)) AS by_both_or_unknown
FROM (SELECT parent AS snapshot, child, verdict, bytes FROM cow FINAL) AS these ALL INNER JOIN
(SELECT snapshot, ifNull(host, '') AS host, ifNull(boot_id, '') AS boot, pid AS parent_pid, start_ticks, comm,
        intDiv(taken_ns, 60000000000) AS minute FROM snapshot_once) AS those USING (snapshot)
GROUP BY host, boot, parent_pid, start_ticks, minute;

-- 9. Processes that are much larger than others of their program.
DROP TABLE IF EXISTS outlier;
CREATE VIEW outlier AS
SELECT host, pid, comm, exe, resident, mean_of_program, processes FROM
(SELECT ifNull(host, '') AS host, pid, comm, ifNull(exe, '') AS exe, resident FROM newest) AS these ALL INNER JOIN
(SELECT ifNull(exe, '') AS exe, avg(resident) AS mean_of_program, count() AS processes FROM newest GROUP BY exe) AS those USING (exe)
WHERE processes >= 4 AND exe != '' AND resident > 2 * (mean_of_program * processes - resident) / (processes - 1);

-- 10. What a build of a program maps that the build before did not.
DROP TABLE IF EXISTS build_mapping;
CREATE VIEW build_mapping AS
SELECT exe, exe_build_id, name, perms, min(taken_ns) AS first_taken_ns FROM
(
  SELECT exe, exe_build_id, object, perms, taken_ns FROM (SELECT snapshot, object, perms FROM vma_once) AS these ALL INNER JOIN
  (SELECT snapshot, assumeNotNull(exe) AS exe, assumeNotNull(exe_build_id) AS exe_build_id, taken_ns FROM snapshot_once
   WHERE exe_build_id IS NOT NULL AND exe IS NOT NULL) AS those USING (snapshot)
) AS these ALL INNER JOIN (SELECT object, name FROM object_once) AS those USING (object)
GROUP BY exe, exe_build_id, name, perms;
DROP TABLE IF EXISTS new_mapping;
CREATE VIEW new_mapping AS
SELECT exe, build_before, build_after, name, perms FROM
(
  SELECT exe, tupleElement(step, 1) AS build_before, tupleElement(step, 2) AS build_after, tupleElement(step, 2) AS exe_build_id
  FROM
  (
    SELECT exe, arrayJoin(arrayMap(at -> (tupleElement(builds[at], 2), tupleElement(builds[at + 1], 2)),
                                   arrayEnumerate(arrayPopBack(builds)))) AS step
    FROM (SELECT exe, arraySort(groupUniqArray((first, exe_build_id))) AS builds FROM
          (SELECT assumeNotNull(exe) AS exe, assumeNotNull(exe_build_id) AS exe_build_id, min(taken_ns) AS first FROM snapshot
           WHERE exe IS NOT NULL AND exe_build_id IS NOT NULL GROUP BY exe, exe_build_id)
          GROUP BY exe)
  )
) AS these ALL INNER JOIN (SELECT exe, exe_build_id, name, perms FROM build_mapping) AS those USING (exe, exe_build_id)
WHERE (exe, build_before, name, perms) NOT IN (SELECT exe, exe_build_id, name, perms FROM build_mapping);

-- And of page faults that were watched: which code had them, in how many pages.
DROP TABLE IF EXISTS fault_code;
CREATE VIEW fault_code AS
SELECT host_name AS host, pid, comm, code AS function_name, access_kind, count() AS faults, uniqExact(page_addr) AS pages FROM
(
  SELECT boot, start_ticks, pid, host_name, comm, coalesce(function_name, code_file) AS code, access_kind, page_addr FROM
  (SELECT snapshot, function_name, code_file, access_kind, page_addr FROM event_once WHERE event_kind = 'fault') AS these
  ALL INNER JOIN (SELECT snapshot, ifNull(host, '') AS host_name, ifNull(boot_id, '') AS boot, pid, start_ticks, comm
                  FROM snapshot_once) AS those USING (snapshot)
)
GROUP BY host_name, boot, pid, start_ticks, comm, code, access_kind;

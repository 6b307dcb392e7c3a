-- The questions that people ask (docs/archive.md), in words that SQLite and PostgreSQL understand alike.  Views are
-- made anew each time, so that a database has those of the vmsnap that last added to it; from the last, as
-- PostgreSQL drops none that others stand on.  Of what is not known of one, no sum is told: count() tells, as sum()
-- and avg() pass over NULLs.
DROP VIEW IF EXISTS fault_code;
DROP VIEW IF EXISTS new_mapping;
DROP VIEW IF EXISTS build_mapping;
DROP VIEW IF EXISTS outlier;
DROP VIEW IF EXISTS fork_minute;
DROP VIEW IF EXISTS build_difference;
DROP VIEW IF EXISTS service_swap;
DROP VIEW IF EXISTS thp_coverage;
DROP VIEW IF EXISTS privatised_text;
DROP VIEW IF EXISTS group_memory;
DROP VIEW IF EXISTS frame_holder;
DROP VIEW IF EXISTS growth;
DROP VIEW IF EXISTS newest;
DROP VIEW IF EXISTS process;

CREATE VIEW process AS
SELECT coalesce(host, '') AS host_name, coalesce(boot_id, '') AS boot, pid, start_ticks,
       max(taken_ns) AS last_taken_ns, min(taken_ns) AS first_taken_ns, count(*) AS snapshots
FROM snapshot GROUP BY 1, 2, 3, 4;

-- The last snapshot of each process.
CREATE VIEW newest AS
SELECT * FROM snapshot WHERE snapshot IN
(SELECT snapshot FROM
  (SELECT snapshot, row_number() OVER (PARTITION BY host, boot_id, pid, start_ticks ORDER BY taken_ns DESC, snapshot) AS place
   FROM snapshot) those
 WHERE place = 1);

-- 1. What grew, by mapping, from a process's first snapshot to its last, of those that have all mappings.
CREATE VIEW growth AS
WITH whole AS
(SELECT snapshot, host, boot_id, pid, start_ticks, taken_ns, min(taken_ns) OVER process AS first_taken_ns,
        max(taken_ns) OVER process AS last_taken_ns,
        first_value(comm) OVER (PARTITION BY host, boot_id, pid, start_ticks ORDER BY taken_ns DESC) AS last_comm
 FROM snapshot WHERE all_vmas = 1 WINDOW process AS (PARTITION BY host, boot_id, pid, start_ticks))
SELECT coalesce(w.host, '') AS host, w.pid, w.last_comm AS comm, o.name,
       CASE WHEN count(CASE WHEN w.taken_ns = w.first_taken_ns THEN v.resident ELSE 0 END) = count(*)
            THEN sum(CASE WHEN w.taken_ns = w.first_taken_ns THEN v.resident ELSE 0 END) END AS first_resident,
       CASE WHEN count(CASE WHEN w.taken_ns = w.last_taken_ns THEN v.resident ELSE 0 END) = count(*)
            THEN sum(CASE WHEN w.taken_ns = w.last_taken_ns THEN v.resident ELSE 0 END) END AS last_resident,
       CASE WHEN count(v.resident) = count(*)
            THEN sum(CASE WHEN w.taken_ns = w.last_taken_ns THEN v.resident ELSE -v.resident END) END AS grown,
       CAST(w.last_taken_ns - w.first_taken_ns AS double precision) / 1e9 AS seconds
FROM whole w JOIN vma v USING (snapshot) JOIN object o USING (object)
WHERE w.taken_ns IN (w.first_taken_ns, w.last_taken_ns) AND w.first_taken_ns <> w.last_taken_ns
GROUP BY w.host, w.boot_id, w.pid, w.start_ticks, w.first_taken_ns, w.last_taken_ns, w.last_comm, o.object, o.name;

-- 2. Who had a frame: SELECT * FROM frame_holder WHERE 4711 BETWEEN first_pfn AND last_pfn.
CREATE VIEW frame_holder AS
SELECT r.pfn AS first_pfn, r.pfn + r.pages - 1 AS last_pfn, s.host, s.boot_id, s.taken_ns, s.pid, s.comm,
       r.start_addr, r.pages, r.flags, snapshot
FROM run r JOIN snapshot s USING (snapshot) WHERE r.pfn IS NOT NULL;

-- 3. What the processes of one instant take: PSS and USS, each frame once where it is its own.
CREATE VIEW group_memory AS
SELECT s.host, s.taken_ns, coalesce(s.unit, s.container, s.comm) AS service, count(*) AS processes,
       sum(g.rss) AS rss, CASE WHEN count(g.pss) = count(*) THEN sum(g.pss) END AS pss,
       CASE WHEN count(g.uss) = count(*) THEN sum(g.uss) END AS uss,
       CASE WHEN count(g.private_with_others) = count(*) THEN sum(g.private_with_others) END AS private_with_others
FROM group_share g JOIN snapshot s USING (snapshot)
GROUP BY s.host, s.boot_id, s.taken_ns, 3;

-- 4. Code that is no more what its file has: private pages where only the file's should be.
CREATE VIEW privatised_text AS
SELECT s.host, s.pid, s.comm, s.taken_ns, o.name, v.start_addr, v.end_addr, v.resident - v.file AS private_bytes, snapshot
FROM vma v JOIN snapshot s USING (snapshot) JOIN object o USING (object)
WHERE v.resident > v.file AND v.perms LIKE '__xp' AND (o.inode <> 0 OR o.dev_major <> 0 OR o.dev_minor <> 0);

-- 5. How much of the memory that is no file's is in huge pages, by program.
CREATE VIEW thp_coverage AS
SELECT exe, count(*) AS processes, sum(resident - file) AS anonymous, sum(huge) AS huge,
       round(100.0 * sum(huge) / nullif(sum(resident - file), 0), 1) AS percent
FROM newest WHERE huge IS NOT NULL AND resident IS NOT NULL AND file IS NOT NULL GROUP BY exe;

-- 6. Swap, by service.
CREATE VIEW service_swap AS
SELECT host, coalesce(unit, container, comm) AS service, count(*) AS processes,
       CASE WHEN count(coalesce(swapped, vm_swap)) = count(*) THEN sum(coalesce(swapped, vm_swap)) END AS swapped,
       CASE WHEN count(resident) = count(*) THEN sum(resident) END AS resident
FROM newest GROUP BY host, 2;

-- 7. One file, several builds.  One that was replaced has " (deleted)" behind its name where it is still mapped.
CREATE VIEW build_difference AS
WITH file AS
(SELECT object, build_id, CASE WHEN name LIKE '% (deleted)' THEN substr(name, 1, length(name) - 10) ELSE name END AS name
 FROM object WHERE build_id IS NOT NULL)
SELECT o.name, o.build_id, count(DISTINCT s.host) AS hosts, count(DISTINCT s.host || '/' || s.pid) AS processes,
       min(s.host) AS example_host, min(s.pid) AS example_pid
FROM file o JOIN vma v USING (object) JOIN newest s USING (snapshot)
WHERE o.name IN (SELECT name FROM file GROUP BY name HAVING count(DISTINCT build_id) > 1)
GROUP BY o.name, o.build_id;

-- 8. What forks copied, by minute.
CREATE VIEW fork_minute AS
SELECT s.host, s.pid AS parent_pid, min(s.comm) AS comm, s.taken_ns / 60000000000 AS minute, count(DISTINCT c.child) AS children,
       max(CASE WHEN c.verdict = 'copied_by_parent' THEN c.bytes ELSE 0 END) AS by_parent,
       max(CASE WHEN c.verdict = 'copied_by_child' THEN c.bytes ELSE 0 END) AS by_child,
       max(CASE WHEN c.verdict IN ('copied', 'copied_by_both') THEN c.bytes ELSE 0 END) AS by_both_or_unknown
FROM cow c JOIN snapshot s ON s.snapshot = c.parent
GROUP BY s.host, s.boot_id, s.pid, s.start_ticks, 4;

-- 9. Processes that are much larger than others of their program.
CREATE VIEW outlier AS
SELECT n.host, n.pid, n.comm, n.exe, n.resident, CAST(others.mean AS double precision) AS mean_of_program, others.processes
FROM newest n JOIN (SELECT exe, avg(resident) AS mean, count(resident) AS processes FROM newest GROUP BY exe) others
ON n.exe = others.exe
WHERE others.processes >= 4 AND n.resident > 2 * (others.mean * others.processes - n.resident) / (others.processes - 1);

-- 10. What a build of a program maps that the build before did not.
CREATE VIEW build_mapping AS
SELECT s.exe, s.exe_build_id, o.name, v.perms, min(s.taken_ns) AS first_taken_ns
FROM snapshot s JOIN vma v USING (snapshot) JOIN object o USING (object)
WHERE s.exe_build_id IS NOT NULL GROUP BY s.exe, s.exe_build_id, o.name, v.perms;
CREATE VIEW new_mapping AS
WITH build AS
(SELECT exe, exe_build_id, min(taken_ns) AS first_taken_ns FROM snapshot WHERE exe_build_id IS NOT NULL GROUP BY exe, exe_build_id),
step AS
(SELECT exe, lag(exe_build_id) OVER (PARTITION BY exe ORDER BY first_taken_ns, exe_build_id) AS build_before,
        exe_build_id AS build_after FROM build)
SELECT s.exe, s.build_before, s.build_after, b.name, b.perms
FROM step s JOIN build_mapping b ON b.exe = s.exe AND b.exe_build_id = s.build_after
LEFT JOIN build_mapping c ON c.exe = s.exe AND c.exe_build_id = s.build_before AND c.name = b.name AND c.perms = b.perms
WHERE s.build_before IS NOT NULL AND c.exe IS NULL;

-- And of page faults that were watched: which code had them, in how many pages.
CREATE VIEW fault_code AS
SELECT s.host, s.pid, min(s.comm) AS comm, coalesce(e.function_name, e.code_file) AS function_name, e.access_kind,
       count(*) AS faults, count(DISTINCT e.page_addr) AS pages
FROM event e JOIN snapshot s USING (snapshot) WHERE e.event_kind = 'fault'
GROUP BY s.host, s.boot_id, s.pid, s.start_ticks, 4, e.access_kind;

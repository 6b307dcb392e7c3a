/* syscall_names.h - the system calls that this machine's <sys/syscall.h> knows, as rows of a table; to be
 * included within an array, where SYSCALL_ROW(name) is defined. */
#ifdef SYS__sysctl
SYSCALL_ROW(_sysctl)
#endif
#ifdef SYS_accept
SYSCALL_ROW(accept)
#endif
#ifdef SYS_accept4
SYSCALL_ROW(accept4)
#endif
#ifdef SYS_access
SYSCALL_ROW(access)
#endif
#ifdef SYS_acct
SYSCALL_ROW(acct)
#endif
#ifdef SYS_add_key
SYSCALL_ROW(add_key)
#endif
#ifdef SYS_adjtimex
SYSCALL_ROW(adjtimex)
#endif
#ifdef SYS_afs_syscall
SYSCALL_ROW(afs_syscall)
#endif
#ifdef SYS_alarm
SYSCALL_ROW(alarm)
#endif
#ifdef SYS_arch_prctl
SYSCALL_ROW(arch_prctl)
#endif
#ifdef SYS_bind
SYSCALL_ROW(bind)
#endif
#ifdef SYS_bpf
SYSCALL_ROW(bpf)
#endif
#ifdef SYS_brk
SYSCALL_ROW(brk)
#endif
#ifdef SYS_capget
SYSCALL_ROW(capget)
#endif
#ifdef SYS_capset
SYSCALL_ROW(capset)
#endif
#ifdef SYS_chdir
SYSCALL_ROW(chdir)
#endif
#ifdef SYS_chmod
SYSCALL_ROW(chmod)
#endif
#ifdef SYS_chown
SYSCALL_ROW(chown)
#endif
#ifdef SYS_chroot
SYSCALL_ROW(chroot)
#endif
#ifdef SYS_clock_adjtime
SYSCALL_ROW(clock_adjtime)
#endif
#ifdef SYS_clock_adjtime64
SYSCALL_ROW(clock_adjtime64)
#endif
#ifdef SYS_clock_getres
SYSCALL_ROW(clock_getres)
#endif
#ifdef SYS_clock_getres_time64
SYSCALL_ROW(clock_getres_time64)
#endif
#ifdef SYS_clock_gettime
SYSCALL_ROW(clock_gettime)
#endif
#ifdef SYS_clock_gettime64
SYSCALL_ROW(clock_gettime64)
#endif
#ifdef SYS_clock_nanosleep
SYSCALL_ROW(clock_nanosleep)
#endif
#ifdef SYS_clock_nanosleep_time64
SYSCALL_ROW(clock_nanosleep_time64)
#endif
#ifdef SYS_clock_settime
SYSCALL_ROW(clock_settime)
#endif
#ifdef SYS_clock_settime64
SYSCALL_ROW(clock_settime64)
#endif
#ifdef SYS_clone
SYSCALL_ROW(clone)
#endif
#ifdef SYS_clone3
SYSCALL_ROW(clone3)
#endif
#ifdef SYS_close
SYSCALL_ROW(close)
#endif
#ifdef SYS_close_range
SYSCALL_ROW(close_range)
#endif
#ifdef SYS_connect
SYSCALL_ROW(connect)
#endif
#ifdef SYS_copy_file_range
SYSCALL_ROW(copy_file_range)
#endif
#ifdef SYS_creat
SYSCALL_ROW(creat)
#endif
#ifdef SYS_create_module
SYSCALL_ROW(create_module)
#endif
#ifdef SYS_delete_module
SYSCALL_ROW(delete_module)
#endif
#ifdef SYS_dup
SYSCALL_ROW(dup)
#endif
#ifdef SYS_dup2
SYSCALL_ROW(dup2)
#endif
#ifdef SYS_dup3
SYSCALL_ROW(dup3)
#endif
#ifdef SYS_epoll_create
SYSCALL_ROW(epoll_create)
#endif
#ifdef SYS_epoll_create1
SYSCALL_ROW(epoll_create1)
#endif
#ifdef SYS_epoll_ctl
SYSCALL_ROW(epoll_ctl)
#endif
#ifdef SYS_epoll_ctl_old
SYSCALL_ROW(epoll_ctl_old)
#endif
#ifdef SYS_epoll_pwait
SYSCALL_ROW(epoll_pwait)
#endif
#ifdef SYS_epoll_pwait2
SYSCALL_ROW(epoll_pwait2)
#endif
#ifdef SYS_epoll_wait
SYSCALL_ROW(epoll_wait)
#endif
#ifdef SYS_epoll_wait_old
SYSCALL_ROW(epoll_wait_old)
#endif
#ifdef SYS_eventfd
SYSCALL_ROW(eventfd)
#endif
#ifdef SYS_eventfd2
SYSCALL_ROW(eventfd2)
#endif
#ifdef SYS_execve
SYSCALL_ROW(execve)
#endif
#ifdef SYS_execveat
SYSCALL_ROW(execveat)
#endif
#ifdef SYS_exit
SYSCALL_ROW(exit)
#endif
#ifdef SYS_exit_group
SYSCALL_ROW(exit_group)
#endif
#ifdef SYS_faccessat
SYSCALL_ROW(faccessat)
#endif
#ifdef SYS_faccessat2
SYSCALL_ROW(faccessat2)
#endif
#ifdef SYS_fadvise64
SYSCALL_ROW(fadvise64)
#endif
#ifdef SYS_fadvise64_64
SYSCALL_ROW(fadvise64_64)
#endif
#ifdef SYS_fallocate
SYSCALL_ROW(fallocate)
#endif
#ifdef SYS_fanotify_init
SYSCALL_ROW(fanotify_init)
#endif
#ifdef SYS_fanotify_mark
SYSCALL_ROW(fanotify_mark)
#endif
#ifdef SYS_fchdir
SYSCALL_ROW(fchdir)
#endif
#ifdef SYS_fchmod
SYSCALL_ROW(fchmod)
#endif
#ifdef SYS_fchmodat
SYSCALL_ROW(fchmodat)
#endif
#ifdef SYS_fchown
SYSCALL_ROW(fchown)
#endif
#ifdef SYS_fchownat
SYSCALL_ROW(fchownat)
#endif
#ifdef SYS_fcntl
SYSCALL_ROW(fcntl)
#endif
#ifdef SYS_fcntl64
SYSCALL_ROW(fcntl64)
#endif
#ifdef SYS_fdatasync
SYSCALL_ROW(fdatasync)
#endif
#ifdef SYS_fgetxattr
SYSCALL_ROW(fgetxattr)
#endif
#ifdef SYS_finit_module
SYSCALL_ROW(finit_module)
#endif
#ifdef SYS_flistxattr
SYSCALL_ROW(flistxattr)
#endif
#ifdef SYS_flock
SYSCALL_ROW(flock)
#endif
#ifdef SYS_fork
SYSCALL_ROW(fork)
#endif
#ifdef SYS_fremovexattr
SYSCALL_ROW(fremovexattr)
#endif
#ifdef SYS_fsconfig
SYSCALL_ROW(fsconfig)
#endif
#ifdef SYS_fsetxattr
SYSCALL_ROW(fsetxattr)
#endif
#ifdef SYS_fsmount
SYSCALL_ROW(fsmount)
#endif
#ifdef SYS_fsopen
SYSCALL_ROW(fsopen)
#endif
#ifdef SYS_fspick
SYSCALL_ROW(fspick)
#endif
#ifdef SYS_fstat
SYSCALL_ROW(fstat)
#endif
#ifdef SYS_fstat64
SYSCALL_ROW(fstat64)
#endif
#ifdef SYS_fstatat
SYSCALL_ROW(fstatat)
#endif
#ifdef SYS_fstatat64
SYSCALL_ROW(fstatat64)
#endif
#ifdef SYS_fstatfs
SYSCALL_ROW(fstatfs)
#endif
#ifdef SYS_fstatfs64
SYSCALL_ROW(fstatfs64)
#endif
#ifdef SYS_fsync
SYSCALL_ROW(fsync)
#endif
#ifdef SYS_ftruncate
SYSCALL_ROW(ftruncate)
#endif
#ifdef SYS_ftruncate64
SYSCALL_ROW(ftruncate64)
#endif
#ifdef SYS_futex
SYSCALL_ROW(futex)
#endif
#ifdef SYS_futex_time64
SYSCALL_ROW(futex_time64)
#endif
#ifdef SYS_futex_waitv
SYSCALL_ROW(futex_waitv)
#endif
#ifdef SYS_futimesat
SYSCALL_ROW(futimesat)
#endif
#ifdef SYS_get_kernel_syms
SYSCALL_ROW(get_kernel_syms)
#endif
#ifdef SYS_get_mempolicy
SYSCALL_ROW(get_mempolicy)
#endif
#ifdef SYS_get_robust_list
SYSCALL_ROW(get_robust_list)
#endif
#ifdef SYS_get_thread_area
SYSCALL_ROW(get_thread_area)
#endif
#ifdef SYS_getcpu
SYSCALL_ROW(getcpu)
#endif
#ifdef SYS_getcwd
SYSCALL_ROW(getcwd)
#endif
#ifdef SYS_getdents
SYSCALL_ROW(getdents)
#endif
#ifdef SYS_getdents64
SYSCALL_ROW(getdents64)
#endif
#ifdef SYS_getegid
SYSCALL_ROW(getegid)
#endif
#ifdef SYS_geteuid
SYSCALL_ROW(geteuid)
#endif
#ifdef SYS_getgid
SYSCALL_ROW(getgid)
#endif
#ifdef SYS_getgroups
SYSCALL_ROW(getgroups)
#endif
#ifdef SYS_getitimer
SYSCALL_ROW(getitimer)
#endif
#ifdef SYS_getpeername
SYSCALL_ROW(getpeername)
#endif
#ifdef SYS_getpgid
SYSCALL_ROW(getpgid)
#endif
#ifdef SYS_getpgrp
SYSCALL_ROW(getpgrp)
#endif
#ifdef SYS_getpid
SYSCALL_ROW(getpid)
#endif
#ifdef SYS_getpmsg
SYSCALL_ROW(getpmsg)
#endif
#ifdef SYS_getppid
SYSCALL_ROW(getppid)
#endif
#ifdef SYS_getpriority
SYSCALL_ROW(getpriority)
#endif
#ifdef SYS_getrandom
SYSCALL_ROW(getrandom)
#endif
#ifdef SYS_getresgid
SYSCALL_ROW(getresgid)
#endif
#ifdef SYS_getresuid
SYSCALL_ROW(getresuid)
#endif
#ifdef SYS_getrlimit
SYSCALL_ROW(getrlimit)
#endif
#ifdef SYS_getrusage
SYSCALL_ROW(getrusage)
#endif
#ifdef SYS_getsid
SYSCALL_ROW(getsid)
#endif
#ifdef SYS_getsockname
SYSCALL_ROW(getsockname)
#endif
#ifdef SYS_getsockopt
SYSCALL_ROW(getsockopt)
#endif
#ifdef SYS_gettid
SYSCALL_ROW(gettid)
#endif
#ifdef SYS_gettimeofday
SYSCALL_ROW(gettimeofday)
#endif
#ifdef SYS_getuid
SYSCALL_ROW(getuid)
#endif
#ifdef SYS_getxattr
SYSCALL_ROW(getxattr)
#endif
#ifdef SYS_init_module
SYSCALL_ROW(init_module)
#endif
#ifdef SYS_inotify_add_watch
SYSCALL_ROW(inotify_add_watch)
#endif
#ifdef SYS_inotify_init
SYSCALL_ROW(inotify_init)
#endif
#ifdef SYS_inotify_init1
SYSCALL_ROW(inotify_init1)
#endif
#ifdef SYS_inotify_rm_watch
SYSCALL_ROW(inotify_rm_watch)
#endif
#ifdef SYS_io_cancel
SYSCALL_ROW(io_cancel)
#endif
#ifdef SYS_io_destroy
SYSCALL_ROW(io_destroy)
#endif
#ifdef SYS_io_getevents
SYSCALL_ROW(io_getevents)
#endif
#ifdef SYS_io_pgetevents
SYSCALL_ROW(io_pgetevents)
#endif
#ifdef SYS_io_pgetevents_time64
SYSCALL_ROW(io_pgetevents_time64)
#endif
#ifdef SYS_io_setup
SYSCALL_ROW(io_setup)
#endif
#ifdef SYS_io_submit
SYSCALL_ROW(io_submit)
#endif
#ifdef SYS_io_uring_enter
SYSCALL_ROW(io_uring_enter)
#endif
#ifdef SYS_io_uring_register
SYSCALL_ROW(io_uring_register)
#endif
#ifdef SYS_io_uring_setup
SYSCALL_ROW(io_uring_setup)
#endif
#ifdef SYS_ioctl
SYSCALL_ROW(ioctl)
#endif
#ifdef SYS_ioperm
SYSCALL_ROW(ioperm)
#endif
#ifdef SYS_iopl
SYSCALL_ROW(iopl)
#endif
#ifdef SYS_ioprio_get
SYSCALL_ROW(ioprio_get)
#endif
#ifdef SYS_ioprio_set
SYSCALL_ROW(ioprio_set)
#endif
#ifdef SYS_kcmp
SYSCALL_ROW(kcmp)
#endif
#ifdef SYS_kexec_file_load
SYSCALL_ROW(kexec_file_load)
#endif
#ifdef SYS_kexec_load
SYSCALL_ROW(kexec_load)
#endif
#ifdef SYS_keyctl
SYSCALL_ROW(keyctl)
#endif
#ifdef SYS_kill
SYSCALL_ROW(kill)
#endif
#ifdef SYS_landlock_add_rule
SYSCALL_ROW(landlock_add_rule)
#endif
#ifdef SYS_landlock_create_ruleset
SYSCALL_ROW(landlock_create_ruleset)
#endif
#ifdef SYS_landlock_restrict_self
SYSCALL_ROW(landlock_restrict_self)
#endif
#ifdef SYS_lchown
SYSCALL_ROW(lchown)
#endif
#ifdef SYS_lgetxattr
SYSCALL_ROW(lgetxattr)
#endif
#ifdef SYS_link
SYSCALL_ROW(link)
#endif
#ifdef SYS_linkat
SYSCALL_ROW(linkat)
#endif
#ifdef SYS_listen
SYSCALL_ROW(listen)
#endif
#ifdef SYS_listxattr
SYSCALL_ROW(listxattr)
#endif
#ifdef SYS_llistxattr
SYSCALL_ROW(llistxattr)
#endif
#ifdef SYS_llseek
SYSCALL_ROW(llseek)
#endif
#ifdef SYS_lookup_dcookie
SYSCALL_ROW(lookup_dcookie)
#endif
#ifdef SYS_lremovexattr
SYSCALL_ROW(lremovexattr)
#endif
#ifdef SYS_lseek
SYSCALL_ROW(lseek)
#endif
#ifdef SYS_lsetxattr
SYSCALL_ROW(lsetxattr)
#endif
#ifdef SYS_lstat
SYSCALL_ROW(lstat)
#endif
#ifdef SYS_lstat64
SYSCALL_ROW(lstat64)
#endif
#ifdef SYS_madvise
SYSCALL_ROW(madvise)
#endif
#ifdef SYS_mbind
SYSCALL_ROW(mbind)
#endif
#ifdef SYS_membarrier
SYSCALL_ROW(membarrier)
#endif
#ifdef SYS_memfd_create
SYSCALL_ROW(memfd_create)
#endif
#ifdef SYS_memfd_secret
SYSCALL_ROW(memfd_secret)
#endif
#ifdef SYS_migrate_pages
SYSCALL_ROW(migrate_pages)
#endif
#ifdef SYS_mincore
SYSCALL_ROW(mincore)
#endif
#ifdef SYS_mkdir
SYSCALL_ROW(mkdir)
#endif
#ifdef SYS_mkdirat
SYSCALL_ROW(mkdirat)
#endif
#ifdef SYS_mknod
SYSCALL_ROW(mknod)
#endif
#ifdef SYS_mknodat
SYSCALL_ROW(mknodat)
#endif
#ifdef SYS_mlock
SYSCALL_ROW(mlock)
#endif
#ifdef SYS_mlock2
SYSCALL_ROW(mlock2)
#endif
#ifdef SYS_mlockall
SYSCALL_ROW(mlockall)
#endif
#ifdef SYS_mmap
SYSCALL_ROW(mmap)
#endif
#ifdef SYS_mmap2
SYSCALL_ROW(mmap2)
#endif
#ifdef SYS_modify_ldt
SYSCALL_ROW(modify_ldt)
#endif
#ifdef SYS_mount
SYSCALL_ROW(mount)
#endif
#ifdef SYS_mount_setattr
SYSCALL_ROW(mount_setattr)
#endif
#ifdef SYS_move_mount
SYSCALL_ROW(move_mount)
#endif
#ifdef SYS_move_pages
SYSCALL_ROW(move_pages)
#endif
#ifdef SYS_mprotect
SYSCALL_ROW(mprotect)
#endif
#ifdef SYS_mq_getsetattr
SYSCALL_ROW(mq_getsetattr)
#endif
#ifdef SYS_mq_notify
SYSCALL_ROW(mq_notify)
#endif
#ifdef SYS_mq_open
SYSCALL_ROW(mq_open)
#endif
#ifdef SYS_mq_timedreceive
SYSCALL_ROW(mq_timedreceive)
#endif
#ifdef SYS_mq_timedreceive_time64
SYSCALL_ROW(mq_timedreceive_time64)
#endif
#ifdef SYS_mq_timedsend
SYSCALL_ROW(mq_timedsend)
#endif
#ifdef SYS_mq_timedsend_time64
SYSCALL_ROW(mq_timedsend_time64)
#endif
#ifdef SYS_mq_unlink
SYSCALL_ROW(mq_unlink)
#endif
#ifdef SYS_mremap
SYSCALL_ROW(mremap)
#endif
#ifdef SYS_msgctl
SYSCALL_ROW(msgctl)
#endif
#ifdef SYS_msgget
SYSCALL_ROW(msgget)
#endif
#ifdef SYS_msgrcv
SYSCALL_ROW(msgrcv)
#endif
#ifdef SYS_msgsnd
SYSCALL_ROW(msgsnd)
#endif
#ifdef SYS_msync
SYSCALL_ROW(msync)
#endif
#ifdef SYS_munlock
SYSCALL_ROW(munlock)
#endif
#ifdef SYS_munlockall
SYSCALL_ROW(munlockall)
#endif
#ifdef SYS_munmap
SYSCALL_ROW(munmap)
#endif
#ifdef SYS_name_to_handle_at
SYSCALL_ROW(name_to_handle_at)
#endif
#ifdef SYS_nanosleep
SYSCALL_ROW(nanosleep)
#endif
#ifdef SYS_newfstatat
SYSCALL_ROW(newfstatat)
#endif
#ifdef SYS_nfsservctl
SYSCALL_ROW(nfsservctl)
#endif
#ifdef SYS_open
SYSCALL_ROW(open)
#endif
#ifdef SYS_open_by_handle_at
SYSCALL_ROW(open_by_handle_at)
#endif
#ifdef SYS_open_tree
SYSCALL_ROW(open_tree)
#endif
#ifdef SYS_openat
SYSCALL_ROW(openat)
#endif
#ifdef SYS_openat2
SYSCALL_ROW(openat2)
#endif
#ifdef SYS_pause
SYSCALL_ROW(pause)
#endif
#ifdef SYS_perf_event_open
SYSCALL_ROW(perf_event_open)
#endif
#ifdef SYS_personality
SYSCALL_ROW(personality)
#endif
#ifdef SYS_pidfd_getfd
SYSCALL_ROW(pidfd_getfd)
#endif
#ifdef SYS_pidfd_open
SYSCALL_ROW(pidfd_open)
#endif
#ifdef SYS_pidfd_send_signal
SYSCALL_ROW(pidfd_send_signal)
#endif
#ifdef SYS_pipe
SYSCALL_ROW(pipe)
#endif
#ifdef SYS_pipe2
SYSCALL_ROW(pipe2)
#endif
#ifdef SYS_pivot_root
SYSCALL_ROW(pivot_root)
#endif
#ifdef SYS_pkey_alloc
SYSCALL_ROW(pkey_alloc)
#endif
#ifdef SYS_pkey_free
SYSCALL_ROW(pkey_free)
#endif
#ifdef SYS_pkey_mprotect
SYSCALL_ROW(pkey_mprotect)
#endif
#ifdef SYS_poll
SYSCALL_ROW(poll)
#endif
#ifdef SYS_ppoll
SYSCALL_ROW(ppoll)
#endif
#ifdef SYS_ppoll_time64
SYSCALL_ROW(ppoll_time64)
#endif
#ifdef SYS_prctl
SYSCALL_ROW(prctl)
#endif
#ifdef SYS_pread64
SYSCALL_ROW(pread64)
#endif
#ifdef SYS_preadv
SYSCALL_ROW(preadv)
#endif
#ifdef SYS_preadv2
SYSCALL_ROW(preadv2)
#endif
#ifdef SYS_prlimit64
SYSCALL_ROW(prlimit64)
#endif
#ifdef SYS_process_madvise
SYSCALL_ROW(process_madvise)
#endif
#ifdef SYS_process_mrelease
SYSCALL_ROW(process_mrelease)
#endif
#ifdef SYS_process_vm_readv
SYSCALL_ROW(process_vm_readv)
#endif
#ifdef SYS_process_vm_writev
SYSCALL_ROW(process_vm_writev)
#endif
#ifdef SYS_pselect6
SYSCALL_ROW(pselect6)
#endif
#ifdef SYS_pselect6_time64
SYSCALL_ROW(pselect6_time64)
#endif
#ifdef SYS_ptrace
SYSCALL_ROW(ptrace)
#endif
#ifdef SYS_putpmsg
SYSCALL_ROW(putpmsg)
#endif
#ifdef SYS_pwrite64
SYSCALL_ROW(pwrite64)
#endif
#ifdef SYS_pwritev
SYSCALL_ROW(pwritev)
#endif
#ifdef SYS_pwritev2
SYSCALL_ROW(pwritev2)
#endif
#ifdef SYS_query_module
SYSCALL_ROW(query_module)
#endif
#ifdef SYS_quotactl
SYSCALL_ROW(quotactl)
#endif
#ifdef SYS_quotactl_fd
SYSCALL_ROW(quotactl_fd)
#endif
#ifdef SYS_read
SYSCALL_ROW(read)
#endif
#ifdef SYS_readahead
SYSCALL_ROW(readahead)
#endif
#ifdef SYS_readlink
SYSCALL_ROW(readlink)
#endif
#ifdef SYS_readlinkat
SYSCALL_ROW(readlinkat)
#endif
#ifdef SYS_readv
SYSCALL_ROW(readv)
#endif
#ifdef SYS_reboot
SYSCALL_ROW(reboot)
#endif
#ifdef SYS_recvfrom
SYSCALL_ROW(recvfrom)
#endif
#ifdef SYS_recvmmsg
SYSCALL_ROW(recvmmsg)
#endif
#ifdef SYS_recvmmsg_time64
SYSCALL_ROW(recvmmsg_time64)
#endif
#ifdef SYS_recvmsg
SYSCALL_ROW(recvmsg)
#endif
#ifdef SYS_remap_file_pages
SYSCALL_ROW(remap_file_pages)
#endif
#ifdef SYS_removexattr
SYSCALL_ROW(removexattr)
#endif
#ifdef SYS_rename
SYSCALL_ROW(rename)
#endif
#ifdef SYS_renameat
SYSCALL_ROW(renameat)
#endif
#ifdef SYS_renameat2
SYSCALL_ROW(renameat2)
#endif
#ifdef SYS_request_key
SYSCALL_ROW(request_key)
#endif
#ifdef SYS_restart_syscall
SYSCALL_ROW(restart_syscall)
#endif
#ifdef SYS_rmdir
SYSCALL_ROW(rmdir)
#endif
#ifdef SYS_rseq
SYSCALL_ROW(rseq)
#endif
#ifdef SYS_rt_sigaction
SYSCALL_ROW(rt_sigaction)
#endif
#ifdef SYS_rt_sigpending
SYSCALL_ROW(rt_sigpending)
#endif
#ifdef SYS_rt_sigprocmask
SYSCALL_ROW(rt_sigprocmask)
#endif
#ifdef SYS_rt_sigqueueinfo
SYSCALL_ROW(rt_sigqueueinfo)
#endif
#ifdef SYS_rt_sigreturn
SYSCALL_ROW(rt_sigreturn)
#endif
#ifdef SYS_rt_sigsuspend
SYSCALL_ROW(rt_sigsuspend)
#endif
#ifdef SYS_rt_sigtimedwait
SYSCALL_ROW(rt_sigtimedwait)
#endif
#ifdef SYS_rt_sigtimedwait_time64
SYSCALL_ROW(rt_sigtimedwait_time64)
#endif
#ifdef SYS_rt_tgsigqueueinfo
SYSCALL_ROW(rt_tgsigqueueinfo)
#endif
#ifdef SYS_sched_get_priority_max
SYSCALL_ROW(sched_get_priority_max)
#endif
#ifdef SYS_sched_get_priority_min
SYSCALL_ROW(sched_get_priority_min)
#endif
#ifdef SYS_sched_getaffinity
SYSCALL_ROW(sched_getaffinity)
#endif
#ifdef SYS_sched_getattr
SYSCALL_ROW(sched_getattr)
#endif
#ifdef SYS_sched_getparam
SYSCALL_ROW(sched_getparam)
#endif
#ifdef SYS_sched_getscheduler
SYSCALL_ROW(sched_getscheduler)
#endif
#ifdef SYS_sched_rr_get_interval
SYSCALL_ROW(sched_rr_get_interval)
#endif
#ifdef SYS_sched_rr_get_interval_time64
SYSCALL_ROW(sched_rr_get_interval_time64)
#endif
#ifdef SYS_sched_setaffinity
SYSCALL_ROW(sched_setaffinity)
#endif
#ifdef SYS_sched_setattr
SYSCALL_ROW(sched_setattr)
#endif
#ifdef SYS_sched_setparam
SYSCALL_ROW(sched_setparam)
#endif
#ifdef SYS_sched_setscheduler
SYSCALL_ROW(sched_setscheduler)
#endif
#ifdef SYS_sched_yield
SYSCALL_ROW(sched_yield)
#endif
#ifdef SYS_seccomp
SYSCALL_ROW(seccomp)
#endif
#ifdef SYS_security
SYSCALL_ROW(security)
#endif
#ifdef SYS_select
SYSCALL_ROW(select)
#endif
#ifdef SYS_semctl
SYSCALL_ROW(semctl)
#endif
#ifdef SYS_semget
SYSCALL_ROW(semget)
#endif
#ifdef SYS_semop
SYSCALL_ROW(semop)
#endif
#ifdef SYS_semtimedop
SYSCALL_ROW(semtimedop)
#endif
#ifdef SYS_semtimedop_time64
SYSCALL_ROW(semtimedop_time64)
#endif
#ifdef SYS_sendfile
SYSCALL_ROW(sendfile)
#endif
#ifdef SYS_sendfile64
SYSCALL_ROW(sendfile64)
#endif
#ifdef SYS_sendmmsg
SYSCALL_ROW(sendmmsg)
#endif
#ifdef SYS_sendmsg
SYSCALL_ROW(sendmsg)
#endif
#ifdef SYS_sendto
SYSCALL_ROW(sendto)
#endif
#ifdef SYS_set_mempolicy
SYSCALL_ROW(set_mempolicy)
#endif
#ifdef SYS_set_mempolicy_home_node
SYSCALL_ROW(set_mempolicy_home_node)
#endif
#ifdef SYS_set_robust_list
SYSCALL_ROW(set_robust_list)
#endif
#ifdef SYS_set_thread_area
SYSCALL_ROW(set_thread_area)
#endif
#ifdef SYS_set_tid_address
SYSCALL_ROW(set_tid_address)
#endif
#ifdef SYS_setdomainname
SYSCALL_ROW(setdomainname)
#endif
#ifdef SYS_setfsgid
SYSCALL_ROW(setfsgid)
#endif
#ifdef SYS_setfsuid
SYSCALL_ROW(setfsuid)
#endif
#ifdef SYS_setgid
SYSCALL_ROW(setgid)
#endif
#ifdef SYS_setgroups
SYSCALL_ROW(setgroups)
#endif
#ifdef SYS_sethostname
SYSCALL_ROW(sethostname)
#endif
#ifdef SYS_setitimer
SYSCALL_ROW(setitimer)
#endif
#ifdef SYS_setns
SYSCALL_ROW(setns)
#endif
#ifdef SYS_setpgid
SYSCALL_ROW(setpgid)
#endif
#ifdef SYS_setpriority
SYSCALL_ROW(setpriority)
#endif
#ifdef SYS_setregid
SYSCALL_ROW(setregid)
#endif
#ifdef SYS_setresgid
SYSCALL_ROW(setresgid)
#endif
#ifdef SYS_setresuid
SYSCALL_ROW(setresuid)
#endif
#ifdef SYS_setreuid
SYSCALL_ROW(setreuid)
#endif
#ifdef SYS_setrlimit
SYSCALL_ROW(setrlimit)
#endif
#ifdef SYS_setsid
SYSCALL_ROW(setsid)
#endif
#ifdef SYS_setsockopt
SYSCALL_ROW(setsockopt)
#endif
#ifdef SYS_settimeofday
SYSCALL_ROW(settimeofday)
#endif
#ifdef SYS_setuid
SYSCALL_ROW(setuid)
#endif
#ifdef SYS_setxattr
SYSCALL_ROW(setxattr)
#endif
#ifdef SYS_shmat
SYSCALL_ROW(shmat)
#endif
#ifdef SYS_shmctl
SYSCALL_ROW(shmctl)
#endif
#ifdef SYS_shmdt
SYSCALL_ROW(shmdt)
#endif
#ifdef SYS_shmget
SYSCALL_ROW(shmget)
#endif
#ifdef SYS_shutdown
SYSCALL_ROW(shutdown)
#endif
#ifdef SYS_sigaltstack
SYSCALL_ROW(sigaltstack)
#endif
#ifdef SYS_signalfd
SYSCALL_ROW(signalfd)
#endif
#ifdef SYS_signalfd4
SYSCALL_ROW(signalfd4)
#endif
#ifdef SYS_socket
SYSCALL_ROW(socket)
#endif
#ifdef SYS_socketpair
SYSCALL_ROW(socketpair)
#endif
#ifdef SYS_splice
SYSCALL_ROW(splice)
#endif
#ifdef SYS_stat
SYSCALL_ROW(stat)
#endif
#ifdef SYS_stat64
SYSCALL_ROW(stat64)
#endif
#ifdef SYS_statfs
SYSCALL_ROW(statfs)
#endif
#ifdef SYS_statfs64
SYSCALL_ROW(statfs64)
#endif
#ifdef SYS_statx
SYSCALL_ROW(statx)
#endif
#ifdef SYS_swapoff
SYSCALL_ROW(swapoff)
#endif
#ifdef SYS_swapon
SYSCALL_ROW(swapon)
#endif
#ifdef SYS_symlink
SYSCALL_ROW(symlink)
#endif
#ifdef SYS_symlinkat
SYSCALL_ROW(symlinkat)
#endif
#ifdef SYS_sync
SYSCALL_ROW(sync)
#endif
#ifdef SYS_sync_file_range
SYSCALL_ROW(sync_file_range)
#endif
#ifdef SYS_sync_file_range2
SYSCALL_ROW(sync_file_range2)
#endif
#ifdef SYS_syncfs
SYSCALL_ROW(syncfs)
#endif
#ifdef SYS_sysfs
SYSCALL_ROW(sysfs)
#endif
#ifdef SYS_sysinfo
SYSCALL_ROW(sysinfo)
#endif
#ifdef SYS_syslog
SYSCALL_ROW(syslog)
#endif
#ifdef SYS_tee
SYSCALL_ROW(tee)
#endif
#ifdef SYS_tgkill
SYSCALL_ROW(tgkill)
#endif
#ifdef SYS_time
SYSCALL_ROW(time)
#endif
#ifdef SYS_timer_create
SYSCALL_ROW(timer_create)
#endif
#ifdef SYS_timer_delete
SYSCALL_ROW(timer_delete)
#endif
#ifdef SYS_timer_getoverrun
SYSCALL_ROW(timer_getoverrun)
#endif
#ifdef SYS_timer_gettime
SYSCALL_ROW(timer_gettime)
#endif
#ifdef SYS_timer_gettime64
SYSCALL_ROW(timer_gettime64)
#endif
#ifdef SYS_timer_settime
SYSCALL_ROW(timer_settime)
#endif
#ifdef SYS_timer_settime64
SYSCALL_ROW(timer_settime64)
#endif
#ifdef SYS_timerfd_create
SYSCALL_ROW(timerfd_create)
#endif
#ifdef SYS_timerfd_gettime
SYSCALL_ROW(timerfd_gettime)
#endif
#ifdef SYS_timerfd_gettime64
SYSCALL_ROW(timerfd_gettime64)
#endif
#ifdef SYS_timerfd_settime
SYSCALL_ROW(timerfd_settime)
#endif
#ifdef SYS_timerfd_settime64
SYSCALL_ROW(timerfd_settime64)
#endif
#ifdef SYS_times
SYSCALL_ROW(times)
#endif
#ifdef SYS_tkill
SYSCALL_ROW(tkill)
#endif
#ifdef SYS_truncate
SYSCALL_ROW(truncate)
#endif
#ifdef SYS_truncate64
SYSCALL_ROW(truncate64)
#endif
#ifdef SYS_tuxcall
SYSCALL_ROW(tuxcall)
#endif
#ifdef SYS_umask
SYSCALL_ROW(umask)
#endif
#ifdef SYS_umount2
SYSCALL_ROW(umount2)
#endif
#ifdef SYS_uname
SYSCALL_ROW(uname)
#endif
#ifdef SYS_unlink
SYSCALL_ROW(unlink)
#endif
#ifdef SYS_unlinkat
SYSCALL_ROW(unlinkat)
#endif
#ifdef SYS_unshare
SYSCALL_ROW(unshare)
#endif
#ifdef SYS_uselib
SYSCALL_ROW(uselib)
#endif
#ifdef SYS_userfaultfd
SYSCALL_ROW(userfaultfd)
#endif
#ifdef SYS_ustat
SYSCALL_ROW(ustat)
#endif
#ifdef SYS_utime
SYSCALL_ROW(utime)
#endif
#ifdef SYS_utimensat
SYSCALL_ROW(utimensat)
#endif
#ifdef SYS_utimensat_time64
SYSCALL_ROW(utimensat_time64)
#endif
#ifdef SYS_utimes
SYSCALL_ROW(utimes)
#endif
#ifdef SYS_vfork
SYSCALL_ROW(vfork)
#endif
#ifdef SYS_vhangup
SYSCALL_ROW(vhangup)
#endif
#ifdef SYS_vmsplice
SYSCALL_ROW(vmsplice)
#endif
#ifdef SYS_vserver
SYSCALL_ROW(vserver)
#endif
#ifdef SYS_wait4
SYSCALL_ROW(wait4)
#endif
#ifdef SYS_waitid
SYSCALL_ROW(waitid)
#endif
#ifdef SYS_write
SYSCALL_ROW(write)
#endif
#ifdef SYS_writev
SYSCALL_ROW(writev)
#endif

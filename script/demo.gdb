# The story of script/demo once more, inside gdb.  The demo prints these lines as it comes
# to them.  By hand, after the demo has built everything:
#     gdb -x script/demo.gdb build/release/targets/gdb_demo
# or type them one by one.
#
set width 80
set filename-display basename
source gdb/vmsnap.py

# gdb_demo is a small server: it forks a worker, and both have variables to write to.
# gdb shall keep both of them, and let both run.
set detach-on-fork off
set schedule-multiple on

# The worker comes to wait_for_parent() when it has done its work, the parent to finish().
break wait_for_parent
break finish

# From now on vmsnap takes both sides of each fork, at the fork, without stopping there.
vmsnap auto fork
run

# That was the worker. Now the parent:
continue
vmsnap list

# What has become of the pages that the two shared after the fork? The base is the
# snapshot from the fork itself. `counter` is a global variable. `answer` and `question`
# are local variables of main(): gdb knows where they lie. What gdb did to the program
# itself, its breakpoints for example, is marked and counted apart.
vmsnap cow

# The worker is inferior 2. The page of `counter`, now and through all snapshots:
inferior 2
vmsnap page &counter

# And a page of `question`, a local variable of main(), in the parent. Nobody wrote to it
# and it is shared still: the frame, if you may see it, is the same all along.
inferior 1
up
vmsnap page question+4096

# Keep all of this for later: both as they are now, and both as they were at the fork.
vmsnap take --all after
vmsnap save gdb.vms

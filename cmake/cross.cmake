# Builds for another machine with what script/cross has put into build/cross.  Included by
# toolchain-arm64.cmake and toolchain-s390x.cmake, which set:
#   CROSS_DEBIAN     as Debian names the machine
#   CROSS_TRIPLE     as gcc does
#   CROSS_PROCESSOR  as the kernel and qemu do
#   CROSS_CPU        what qemu shall emulate, if not its own choice
# With -DCROSS_CLANG=ON by clang of this machine instead of gcc for that one.
set(CROSS_FOLDER ${CMAKE_CURRENT_LIST_DIR}/../build/cross)
cmake_path(ABSOLUTE_PATH CROSS_FOLDER NORMALIZE)
set(CROSS_TOOLS ${CROSS_FOLDER}/tools/usr/bin)
set(CMAKE_SYSROOT ${CROSS_FOLDER}/sysroot-${CROSS_DEBIAN})

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR ${CROSS_PROCESSOR})
set(CMAKE_LIBRARY_ARCHITECTURE ${CROSS_TRIPLE})
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CROSS_CLANG)
if(CROSS_CLANG)
  set(CMAKE_C_COMPILER clang)
  set(CMAKE_C_COMPILER_TARGET ${CROSS_TRIPLE})
  # No lld before 18 links for s390x.
  set(CMAKE_EXE_LINKER_FLAGS_INIT --ld-path=${CROSS_TOOLS}/${CROSS_TRIPLE}-ld)
  set(CMAKE_SHARED_LINKER_FLAGS_INIT ${CMAKE_EXE_LINKER_FLAGS_INIT})
  set(CMAKE_MODULE_LINKER_FLAGS_INIT ${CMAKE_EXE_LINKER_FLAGS_INIT})
else()
  set(CMAKE_C_COMPILER ${CROSS_TOOLS}/${CROSS_TRIPLE}-gcc-12)
endif()
set(CMAKE_CROSSCOMPILING_EMULATOR ${CROSS_TOOLS}/qemu-${CROSS_PROCESSOR}-static ${CROSS_CPU} -L ${CMAKE_SYSROOT})

set(CMAKE_FIND_ROOT_PATH ${CMAKE_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_PATH} "")
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR} ${CMAKE_SYSROOT}/usr/lib/${CROSS_TRIPLE}/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig)

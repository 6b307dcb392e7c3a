set(CROSS_DEBIAN arm64)
set(CROSS_TRIPLE aarch64-linux-gnu)
set(CROSS_PROCESSOR aarch64)
# Its signing of return addresses, done as the architecture says, would take most of the time.
set(CROSS_CPU -cpu max,pauth-impdef=on)
include(${CMAKE_CURRENT_LIST_DIR}/cross.cmake)

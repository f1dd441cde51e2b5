# Finds TinyCDB (Debian: libcdb-dev) and defines the target LibCdb::LibCdb.
# The static library is preferred: a mail server must still start on the day after a system upgrade
# that took a shared library away.
find_path(LibCdb_INCLUDE_DIR cdb.h)
find_library(LibCdb_LIBRARY NAMES libcdb.a cdb)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibCdb REQUIRED_VARS LibCdb_LIBRARY LibCdb_INCLUDE_DIR)
if(LibCdb_FOUND AND NOT TARGET LibCdb::LibCdb)
  add_library(LibCdb::LibCdb UNKNOWN IMPORTED)
  set_target_properties(LibCdb::LibCdb PROPERTIES
    IMPORTED_LOCATION "${LibCdb_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${LibCdb_INCLUDE_DIR}")
endif()
mark_as_advanced(LibCdb_INCLUDE_DIR LibCdb_LIBRARY)

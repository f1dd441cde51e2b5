# Read by cpack before it starts: without dpkg-shlibdeps it would make a package that does not say which
# libc it needs, and only mention that.
if(CPACK_GENERATOR STREQUAL "DEB")
  find_program(SHLIBDEPS_EXECUTABLE dpkg-shlibdeps)
  if(NOT SHLIBDEPS_EXECUTABLE)
    message(FATAL_ERROR "no dpkg-shlibdeps, so the package would depend on too little: apt-get install dpkg-dev")
  endif()
endif()

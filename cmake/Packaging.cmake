# Installing and packaging.
#
# cmake --install BUILD   puts the programs into qmail's home (QMAIL_HOME, or QMAILHOME from the
#                         environment) as "make -f Makefile.compat setup" does: it refuses where no valid
#                         servercert.pem is or the home is not the one that was built for, keeps what it
#                         replaces as *.orig, takes FORCE=1. The prefix has no meaning. With DESTDIR, for packagers, it only copies.
# cpack                   (in the build folder; scripts/package does it all) makes a .deb that can stand beside an existing qmail: it
#                         unpacks into /usr/lib/qmail-tls, and its scripts run setup_home, which copies
#                         from there into the home and on removal puts back what was there. The programs
#                         are not unpacked into the home: dpkg would remove ours before the old one is
#                         back, and a mail in that moment would bounce (qmail-rspawn, "Unable to run").

# The first lines of conf/conf-*, which the environment may override.
file(STRINGS "${PROJECT_SOURCE_DIR}/conf/conf-users" qmail_users)
file(STRINGS "${PROJECT_SOURCE_DIR}/conf/conf-groups" qmail_groups)
list(GET qmail_users 1 QMAIL_USER_D)
list(GET qmail_users 3 QMAIL_USER_ROOT)
list(GET qmail_groups 0 QMAIL_GROUP_Q)

install(CODE "
  foreach(setting \"QMAILHOME=${QMAIL_HOME}\" \"USER_D=${QMAIL_USER_D}\" \"USER_ROOT=${QMAIL_USER_ROOT}\" \"GROUP_Q=${QMAIL_GROUP_Q}\")
    string(REGEX MATCH \"^[^=]+\" name \"\${setting}\")
    if(NOT DEFINED ENV{\${name}})
      string(REGEX REPLACE \"^[^=]+=\" \"\" ENV{\${name}} \"\${setting}\")
    endif()
  endforeach()
  set(ENV{BUILT} \"${CMAKE_BINARY_DIR}\")
  execute_process(COMMAND sh \"${PROJECT_SOURCE_DIR}/scripts/setup_home\" setup RESULT_VARIABLE status)
  if(status)
    message(FATAL_ERROR \"not installed, see above\")
  endif()
" COMPONENT home)

# --- the package's files ---
set(package_folder lib/qmail-tls)
set(package_doc share/doc/qmail-tls)
function(package_files kind destination)
  install(${kind} ${ARGN} DESTINATION ${destination} COMPONENT package EXCLUDE_FROM_ALL)
endfunction()

package_files(TARGETS ${package_folder}/bin qmail-smtpd qmail-remote qmail-tlscheck)
# As dh_strip does it; CPack's own stripping leaves two sections that nobody reads.
install(CODE "
  foreach(program qmail-smtpd qmail-remote qmail-tlscheck)
    execute_process(COMMAND \"${CMAKE_STRIP}\" --remove-section=.comment --remove-section=.note
      \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${package_folder}/bin/\${program}\" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
" COMPONENT package EXCLUDE_FROM_ALL)
package_files(PROGRAMS ${package_folder}/scripts scripts/setup_home scripts/servercert_check
  scripts/servercert_make scripts/update_tmprsadh)
package_files(PROGRAMS ${package_folder}/conf conf/servercert_deploy)
package_files(PROGRAMS ${package_folder}/conf/systemd conf/systemd/socket_environment)
install(DIRECTORY conf/services conf/systemd conf/control DESTINATION ${package_doc}/examples
  COMPONENT package EXCLUDE_FROM_ALL USE_SOURCE_PERMISSIONS)
package_files(FILES ${package_doc}/examples conf/tcp.smtp conf/crontab)

# The version of the package: that of the project, and which system it was built on, so that the package
# for the next Debian is the newer one: 1.1.0-1~deb12 < 1.1.0-1~deb13 < 1.1.0-1 (unstable, and elsewhere).
set(package_revision 1)
if(EXISTS /etc/os-release)
  file(STRINGS /etc/os-release os_release)
  if(os_release MATCHES "(^|;)ID=debian(;|$)" AND os_release MATCHES "(^|;)VERSION_ID=\"?([0-9]+)")
    set(package_revision "1~deb${CMAKE_MATCH_2}")
  endif()
endif()
set(QMAIL_PACKAGE_REVISION "${package_revision}" CACHE STRING "The part of the package's version behind the project's")
set(package_version "${PROJECT_VERSION}-${QMAIL_PACKAGE_REVISION}")

# What Debian wants to be compressed, without a time in it.
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/packaging")
function(package_compressed from destination name)
  set(compressed "${CMAKE_BINARY_DIR}/packaging/${name}.gz")
  execute_process(COMMAND gzip -9nc "${from}" OUTPUT_FILE "${compressed}" COMMAND_ERROR_IS_FATAL ANY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${from}")
  package_files(FILES ${destination} "${compressed}")
endfunction()
file(GLOB man_pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/man/*.[1-8]")
foreach(page ${man_pages})
  get_filename_component(name "${page}" NAME)
  string(REGEX MATCH "[1-8]$" section "${name}")
  package_compressed("${page}" share/man/man${section} "${name}")
endforeach()
package_compressed("${PROJECT_SOURCE_DIR}/CHANGES" ${package_doc} changelog)
configure_file(packaging/changelog.in "${CMAKE_BINARY_DIR}/packaging/changelog.Debian" @ONLY)
package_compressed("${CMAKE_BINARY_DIR}/packaging/changelog.Debian" ${package_doc} changelog.Debian)

# The license in the form that machines read.
file(READ "${PROJECT_SOURCE_DIR}/LICENSE" license)
string(REGEX MATCH "Copyright [(]c[)] ([^\n]*)" license_line "${license}")
set(COPYRIGHT_HOLDER "${CMAKE_MATCH_1}")
string(REGEX REPLACE "^.*Copyright [^\n]*\n\n" "" license "${license}")
string(REGEX REPLACE "\n+$" "" license "${license}")
string(REPLACE "\n" "\n " license " ${license}")
string(REPLACE "\n \n" "\n .\n" LICENSE_TEXT "${license}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/LICENSE")
configure_file(packaging/copyright.in "${CMAKE_BINARY_DIR}/packaging/copyright" @ONLY)
package_files(FILES ${package_doc} "${CMAKE_BINARY_DIR}/packaging/copyright")
install(FILES packaging/lintian-overrides DESTINATION share/lintian/overrides RENAME qmail-tls
  COMPONENT package EXCLUDE_FROM_ALL)

# --- the package's scripts ---
# preinst runs before anything is unpacked, so the check of the certificate is written into it.
file(READ "${PROJECT_SOURCE_DIR}/scripts/servercert_check" SERVERCERT_CHECK)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/scripts/servercert_check")
foreach(script preinst postinst prerm)
  configure_file("${PROJECT_SOURCE_DIR}/packaging/${script}.in" "${CMAKE_BINARY_DIR}/packaging/${script}" @ONLY
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  list(APPEND package_scripts "${CMAKE_BINARY_DIR}/packaging/${script}")
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME qmail-tls)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL package)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEBIAN_PACKAGE_RELEASE "${QMAIL_PACKAGE_REVISION}")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION mail)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${package_scripts}")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_PROJECT_CONFIG_FILE "${CMAKE_CURRENT_LIST_DIR}/PackageTools.cmake")
# OpenSSL's library is loaded at the first use of TLS, so dpkg-shlibdeps does not see it in the two programs;
# it does in qmail-tlscheck, which is linked with the same one. preinst looks at the certificate with openssl.
set(CPACK_DEBIAN_PACKAGE_PREDEPENDS "openssl")
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${QMAIL_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Replaces the qmail-smtpd and qmail-remote of a qmail that is installed in
${QMAIL_HOME} by ones that speak TLS as netqmail with the qmail-TLS patch does:
STARTTLS and SMTPS, tlshosts, relaying by client certificate; and IPv6.

The programs that were there are kept as *.orig, and are put back when the
package is removed. It is not installed where there is no qmail, or no valid
control/servercert.pem, unless FORCE=1 is in the environment.")
include(CPack)

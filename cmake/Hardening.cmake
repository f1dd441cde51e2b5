# Compiler and linker flags for every target: warnings, which are errors where we build; hardening of what is installed,
# and nothing in it that is not used.
include(CheckPIESupported)
check_pie_supported()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual -Wformat=2)
if(QMAIL_WERROR)
  add_compile_options(-Werror)
endif()

# On 32-bit systems too, a message whose inode or size needs more bits can be looked at.
add_compile_definitions(_FILE_OFFSET_BITS=64)

if(QMAIL_SANITIZE)
  # Not vptr: that check needs a free descriptor, or it finds every object invalid; a session with none left is tested.
  add_compile_options(-fsanitize=${QMAIL_SANITIZE} -fno-sanitize=vptr -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${QMAIL_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Under ASan, GCC 12 takes libstdc++'s own <regex> for uninitialized (GCC bug 105562).
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
else()
  add_compile_options(-fstack-protector-strong $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
  add_link_options(-Wl,-z,relro,-z,now -Wl,-z,noexecstack)
  # What a program does not call is left out of it: each function of libc that only such code wants, and each pointer in
  # its tables, would be looked up at the start of every session.
  add_compile_options(-ffunction-sections -fdata-sections)
  add_link_options(-Wl,--gc-sections)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    add_compile_options(-fcf-protection=full)
  endif()
endif()
add_link_options(-Wl,--as-needed)

# What a program of ours is linked with: nothing that an upgrade of the distribution can take away.
# libstdc++ goes in statically, as does libcdb; OpenSSL is loaded on the first use of TLS (src/tls).
function(qmail_program target)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
  if(QMAIL_STATIC)
    # After the -pie that CMake gives, which would undo it.
    target_link_libraries(${target} PRIVATE -static-pie)
  elseif(NOT QMAIL_SANITIZE)
    target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc)
  endif()
endfunction()

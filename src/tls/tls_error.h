// Texts for what went wrong in OpenSSL or in the system, all in OpenSSL's form
// ("error:0A000418:SSL routines::tlsv1 alert unknown ca"), which is what the reports quote.
//
// OpenSSL collects errors in a queue, and an old one must never be taken for a new one: whoever is
// about to do something whose failure will be told calls ERR_clear_error() first.
#pragma once

#include <string>

namespace qmail::tls {

// The newest entry of the queue that says more than "see the other library's entry"; the queue is
// empty afterwards. Nothing queued: an empty string.
std::string take_library_error();

// The text of one reason of one library: ERR_LIB_PEM, PEM_R_NO_START_LINE.
std::string library_error(int library, int reason);

// The text of an errno, in the same form.
std::string system_error(int error);

}  // namespace qmail::tls

// A program with checkpassword's interface (https://cr.yp.to/checkpwd/interface.html) is asked
// about a client's credentials. Whatever goes wrong is no success: only exit status 0 of a program
// that read what it was to judge is one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qmail-smtpd/auth.h"
#include "qmail/deadline.h"

namespace qmail::smtpd {

struct PasswordCheck {
  enum class Verdict { good, refused, trouble };
  Verdict verdict;
  std::string_view reply;
  std::string reason{};  // of trouble, for the log
};

// `program`: with its arguments; looked for in PATH. It is killed when the deadline has passed.
PasswordCheck check_password(const std::vector<std::string>& program,
                             const Credentials& credentials, Deadline deadline);

}  // namespace qmail::smtpd

// qmail-tlscheck: says what an admin should know about the files behind TLS, before the programs
// do.
//
//   qmail-tlscheck [--json] [--days N] [--smtpd-user NAME] [--remote-user NAME] [--look PATH]...
//   qmail-tlscheck --servercert FILE [--json] [--days N]
//   qmail-tlscheck --upgrade [OLD-SMTPD OLD-REMOTE] [--look PATH]... [--json]
//   qmail-tlscheck --version
//
// Exit status: 0 all well, 1 warnings, 2 something does not work, 111 it could not look. See
// qmail-tlscheck(8).
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "qmail-tlscheck/access.h"
#include "qmail-tlscheck/checks.h"
#include "qmail-tlscheck/findings.h"
#include "qmail-tlscheck/known_names.h"
#include "qmail-tlscheck/tcp_rules.h"
#include "qmail-tlscheck/upgrade.h"
#include "qmail/ascii.h"
#include "qmail/control.h"
#include "qmail/environment.h"
#include "tls/tls.h"

namespace {

using qmail::tlscheck::Findings;
using qmail::tlscheck::Settings;
using qmail::tlscheck::Style;

constexpr int could_not_look = 111;

struct Options {
  Style style = Style::plain;
  std::string smtpd_user = "qmaild";
  std::string remote_user = "qmailr";
  int days = Settings().days_of_warning;
  std::string certificate{};  // judge this file alone
  bool upgrade = false;       // what ours in the place of others would change
  std::vector<std::string> old_programs{};
  std::vector<std::string> places{};  // where variables are set
};

constexpr const char* usage =
    "usage: qmail-tlscheck [--servercert FILE] [--json] [--days N] [--smtpd-user NAME] "
    "[--remote-user NAME] [--look PATH]...\n"
    "       qmail-tlscheck --upgrade [OLD-SMTPD OLD-REMOTE] [--look PATH]... [--json]";

// If descriptor 2 takes nothing there is nobody to tell.
void complain(const std::string& text) {
  static_cast<void>(std::fputs(("qmail-tlscheck: " + text + "\n").c_str(), stderr));
}

std::optional<Options> parse(std::span<char*> arguments) {
  Options options;
  if (::isatty(STDOUT_FILENO) == 1 && !qmail::environment_asks("NO_COLOR"))
    options.style = Style::coloured;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument(arguments[i]);
    if (argument == "--json") {
      options.style = Style::json;
      continue;
    }
    if (argument == "--upgrade") {
      options.upgrade = true;
      for (; i + 1 < arguments.size() && arguments[i + 1][0] != '-'; ++i) {
        options.old_programs.push_back(std::filesystem::absolute(arguments[i + 1]));
      }
      if (!options.old_programs.empty() && options.old_programs.size() != 2) return std::nullopt;
      continue;
    }
    if (i + 1 == arguments.size()) return std::nullopt;
    const std::string_view value(arguments[++i]);
    if (argument == "--smtpd-user") {
      options.smtpd_user = value;
    } else if (argument == "--remote-user") {
      options.remote_user = value;
    } else if (argument == "--look") {
      options.places.push_back(std::filesystem::absolute(value));
    } else if (argument == "--servercert") {
      options.certificate = std::filesystem::absolute(value);  // as seen from where we are now
    } else if (const auto number = qmail::leading_number(value); argument == "--days" && number) {
      options.days = static_cast<int>(*number);
    } else {
      return std::nullopt;
    }
  }
  return options;
}

// The users whose programs read the files.
Settings settings_of(const Options& options) {
  Settings settings{qmail::tlscheck::account(options.smtpd_user),
                    qmail::tlscheck::account(options.remote_user),
                    std::time(nullptr),
                    options.days,
                    options.places.empty() ? qmail::tlscheck::usual_services() : options.places,
                    options.places.empty() ? qmail::tlscheck::usual_tcp_rules() : options.places};
  for (const auto& [name, known] : {std::pair(options.smtpd_user, settings.smtpd.has_value()),
                                    std::pair(options.remote_user, settings.remote.has_value())}) {
    if (!known) {
      complain("there is no user " + name + ": not checked who can read what it needs");
    }
  }
  return settings;
}

// The bytes of the old programs: those named, else those in place and what they replaced.
std::string old_programs(const Options& options) {
  if (options.old_programs.empty()) {
    std::string bytes;
    for (const char* name :
         {"bin/qmail-smtpd", "bin/qmail-smtpd.orig", "bin/qmail-remote", "bin/qmail-remote.orig"}) {
      auto content = qmail::read_file(name);
      if (!content) throw std::runtime_error(content.error().file + ": " + content.error().reason);
      bytes.append(content->value_or("")).push_back('\0');
    }
    return bytes;
  }
  std::string bytes;
  for (const std::string& path : options.old_programs) {
    auto content = qmail::read_file(path);
    if (!content || !*content) throw std::runtime_error(path + " cannot be read");
    bytes.append(**content).push_back('\0');
  }
  return bytes;
}

Findings look_at_upgrade(const Options& options) {
  std::vector<qmail::tlscheck::VariableSet> variables;
  for (const std::string& place : options.places) {
    for (auto& set : qmail::tlscheck::variables_set_in(place)) variables.push_back(std::move(set));
  }
  if (options.places.empty()) variables = qmail::tlscheck::usual_variables();
  std::vector<qmail::tlscheck::Service> services;
  for (const std::string& place :
       options.places.empty() ? qmail::tlscheck::usual_services() : options.places) {
    if (auto service = qmail::tlscheck::service_in(place)) services.push_back(*std::move(service));
  }
  return qmail::tlscheck::check_upgrade(qmail::ControlDir(), old_programs(options), variables,
                                        services);
}

// What keeps us from looking at the files as the programs' users could.
void need_to_read(const qmail::ControlDir& control) {
  for (const auto& known : qmail::tlscheck::known_files) {
    const std::string file = control.file(known.name.substr(0, known.name.find('/')));
    if (::access(file.c_str(), R_OK) == 0 || errno != EACCES) continue;
    throw std::runtime_error(file + " cannot be read by this user: to be run as root");
  }
}

Findings look(const Options& options) {
  if (options.upgrade) return look_at_upgrade(options);
  const qmail::ControlDir control;
  need_to_read(control);
  if (options.certificate.empty()) {
    return qmail::tlscheck::check_all(control, settings_of(options));
  }
  const Settings settings{{}, {}, std::time(nullptr), options.days};
  Findings found;
  qmail::tlscheck::check_candidate({control, settings}, options.certificate, found);
  return found;
}

int run(const Options& options) {
  if (!qmail::enter_home()) {
    const std::string reason = std::generic_category().message(errno);
    complain("cannot enter qmail's home: " + reason);
    return could_not_look;
  }
  const Findings findings = look(options);
  const std::string text = qmail::tlscheck::printed(findings, options.style);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    return could_not_look;
  return findings.exit_status();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
      const std::string text = qmail::tls::version_text("qmail-tlscheck", qmail::tls::load());
      return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : could_not_look;
    }
    const auto options = parse(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    if (options) return run(*options);
    complain(usage);
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return could_not_look;
}

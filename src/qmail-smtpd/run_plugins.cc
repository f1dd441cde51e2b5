#include "qmail-smtpd/run_plugins.h"

#include <string_view>
#include <sys/wait.h>
#include <system_error>

#include "qmail-smtpd/end_session.h"
#include "qmail-smtpd/replies.h"
#include "qmail/ascii.h"
#include "qmail/child_output.h"
#include "qmail/deadline.h"
#include "qmail/environment.h"

namespace qmail::smtpd {

namespace {

constexpr std::size_t longest_output = 65536;

std::vector<std::string> arguments_of(const std::string& entry) {
  if (entry.front() != ':') return {entry};
  return {"/bin/sh", "-c", entry.substr(1)};
}

// What went wrong with it, in the interface's words; nothing: it ended by itself.
std::string_view failure_of(const Result<ChildOutput, int>& output) {
  if (!output) return "can't execute";
  if (!output->status) return "timed out";
  return WIFEXITED(*output->status) ? "" : "child crashed";
}

void change_environment(const PluginAnswer& answer) {
  for (const auto& [name, value] : answer.variables) {
    if (value) {
      put_into_environment(name.c_str(), *value);
    } else {
      remove_from_environment(name.c_str());
    }
  }
}

// Its first line, if it is a reply that refuses.
std::optional<std::string> own_reply(std::string_view text) {
  constexpr std::size_t code = 3;
  const std::string line =
      without_controls(text.substr(0, std::min(text.find('\n'), longest_plugin_text)));
  const bool refuses = line.size() >= code && (line[0] == '4' || line[0] == '5') &&
                       is_digit(line[1]) && is_digit(line[2]);
  if (!refuses) return std::nullopt;
  return line + "\r\n";
}

}  // namespace

PluginAnswer run_plugins(const std::vector<std::string>& programs,
                         const std::vector<std::string>& variables, std::chrono::seconds timeout,
                         const Log& log) {
  PluginAnswer answer;
  for (const std::string& program : programs) {
    const auto output = run_for_output({.arguments = arguments_of(program), .variables = variables},
                                       1, longest_output, Deadline::after(timeout));
    if (const std::string_view failure = failure_of(output); !failure.empty()) {
      answer.refusal = reply::plugin_failure(
          without_controls(std::string_view(program).substr(0, longest_plugin_text)), failure);
      const std::string line = "qmail-spp failure: " + program + ": " + std::string(failure);
      log.line(line);
      return answer;
    }
    answer.variables.clear();
    take_plugin_output(output->text, answer);
    change_environment(answer);
    if (answer.ends) break;
  }
  return answer;
}

std::optional<std::string> check_recipient(const std::string& program,
                                           const std::vector<std::string>& variables,
                                           std::chrono::seconds timeout) {
  constexpr int reply_descriptor = 4;
  const auto output = run_for_output({.arguments = {program}, .variables = variables},
                                     reply_descriptor, longest_output, Deadline::after(timeout));
  const std::string_view failure = failure_of(output);
  if (!failure.empty()) {
    throw EndSession{std::string(reply::recipient_check_not_run),
                     "RCPTCHECK: " + program + ": " + std::string(failure)};
  }
  switch (const int status = WEXITSTATUS(*output->status)) {
    case 100:
      return own_reply(output->text).value_or(std::string(reply::no_such_recipient));
    case 111:
      throw EndSession{std::string(reply::recipient_check_temporary),
                       "RCPTCHECK: " + program + ": exit status 111"};
    case 120:  // a wrapper that cannot run it, by the words of qmail and of the shell
    case 126:
    case 127:
      throw EndSession{std::string(reply::recipient_check_not_run),
                       "RCPTCHECK: " + program + ": exit status " + std::to_string(status)};
    default:
      return std::nullopt;
  }
}

}  // namespace qmail::smtpd

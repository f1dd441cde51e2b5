// Plug-ins with qmail-spp's interface: programs that have a say at a command, in letters on
// descriptor 1. Which there are, and what one of them said. Pure; what it says is cleaned here,
// since texts reach the client and addresses the queue.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qmail::smtpd {

enum class Section { connection, helo, mail, rcpt, data, auth };
inline constexpr std::size_t sections = 6;

// control/smtpplugins, or what SPPCONFFILE names.
class PluginList {
 public:
  PluginList() = default;  // none
  // "[rcpt]" begins a section; an entry is a program, or ':' and a command for the shell.
  explicit PluginList(const std::vector<std::string>& entries);

  const std::vector<std::string>& of(Section section) const {
    return programs_.at(static_cast<std::size_t>(section));
  }

 private:
  std::array<std::vector<std::string>, sections> programs_;
};

// What the plug-ins of one command said together.
struct PluginAnswer {
  bool ends = false;                        // A, N, O, E, R, D: no more plug-ins at this command
  bool ends_all = false;                    // A: nor at any other
  bool overrides = false;                   // O: the built-in check is passed over
  std::string said{};                       // P: whole lines that go before the reply
  std::optional<std::string> refusal{};     // E: the reply
  std::optional<std::string> last_words{};  // R: the reply before the connection ends; D: none
  std::optional<std::string> address{};     // C: instead of the one in the command
  std::vector<std::string> headers{};       // H: whole lines, for the next message
  std::vector<std::pair<Section, std::string>> later_refusals{};  // L: replies, until RSET
  // S, U: in this order; no value: the variable is removed.
  std::vector<std::pair<std::string, std::optional<std::string>>> variables{};
};

inline constexpr std::size_t longest_plugin_text = 900;

// What one plug-in said, on top of what is there.
void take_plugin_output(std::string_view output, PluginAnswer& answer);

}  // namespace qmail::smtpd

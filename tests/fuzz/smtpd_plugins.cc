// What a plug-in says, and the list of plug-ins, with any bytes: replies stay lines, headers stay
// one line each, an address fits into an envelope, nothing is longer than it may be.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "qmail-smtpd/address.h"
#include "qmail-smtpd/plugins.h"
#include "qmail/control.h"

namespace {

using namespace qmail::smtpd;

void must(bool condition) {
  if (!condition) std::abort();
}

bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

void must_be_a_reply(std::string_view reply) {
  must(reply.size() > 2 && reply.size() <= longest_plugin_text + 2 && reply.ends_with("\r\n"));
  must(is_clean(reply.substr(0, reply.size() - 2)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  PluginAnswer answer;
  take_plugin_output(text, answer);
  if (answer.refusal) must_be_a_reply(*answer.refusal);
  if (answer.last_words && !answer.last_words->empty()) must_be_a_reply(*answer.last_words);
  if (answer.address) must(is_clean(*answer.address) && answer.address->size() <= longest_address);
  for (const auto& [section, reply] : answer.later_refusals) must_be_a_reply(reply);
  for (const std::string& header : answer.headers) {
    must(header.size() > 1 && header.back() == '\n');
    must(is_clean(std::string_view(header).substr(0, header.size() - 1)));
  }
  for (const auto& [name, value] : answer.variables) {
    must(name.find('\0') == std::string::npos);
    must(!value || (value->find('\0') == std::string::npos && !name.empty()));
  }
  std::string_view said = answer.said;
  while (!said.empty()) {
    const std::size_t end = said.find("\r\n");
    must(end != std::string_view::npos && is_clean(said.substr(0, end)));
    said.remove_prefix(end + 2);
  }
  must(answer.ends || !answer.ends_all);
  const PluginList list(qmail::parse_list(text));
  for (std::size_t i = 0; i < sections; ++i) {
    for (const std::string& program : list.of(static_cast<Section>(i))) must(!program.empty());
  }
  return 0;
}

// The dialogues in tests/golden/smtpd as data: what tests/golden/smtpd/README describes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qmail::smtpd {

struct Step {
  enum class Kind {
    send,
    expect,
    expect_match,
    tls,
    tls_ends,
    raw,
    silence,
    sleep,
    flood,
    wait_queue,
    wait_end,
    half_close,
    disconnect,
    closed,
  };
  Kind kind;
  std::string text{};
  std::size_t count = 1;  // expect: how many lines; send: bytes in a piece, 0: all at once
  int line = 0;           // where it stands
};

struct QueuedMessage {
  std::string envelope;
  std::string message{};
  std::optional<std::string> relayclient{};
  std::string authenticated{};
};

struct ControlFile {
  enum class Kind { text, directory, loop, fifo, cdb, certificates, absent };
  Kind kind;
  std::string text{};
};

struct Dialogue {
  std::string name;
  int line = 0;
  std::map<std::string, ControlFile> control{};
  std::map<std::string, std::optional<std::string>> environment{};
  bool home_missing = false;
  std::vector<int> queue_exits{0};
  bool queue_reads = true;
  bool queue_in_home = false;
  std::optional<unsigned> descriptors{};
  bool log_to_client = false;
  std::vector<std::string> arguments{};
  std::string refused_call{};
  int refused_with = 0;
  std::vector<Step> steps{};
  std::optional<int> exit{};
  std::vector<QueuedMessage> queued{};
  std::vector<std::string> log{};  // regular expressions, one for each line
};

// All dialogues of a file's text. Throws std::runtime_error that names the line of a mistake.
std::vector<Dialogue> parse_dialogues(std::string_view text);

}  // namespace qmail::smtpd

// Delivery against a scripted server at the other end of a socket pair, in the clear. The golden
// dialogues have the whole program, over TCP and TLS.
#include "qmail-remote/delivery.h"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <map>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "qmail-remote/server_policy.h"
#include "qmail/unique_fd.h"
#include "scratch.h"

namespace qmail::remote {
namespace {

using std::chrono::seconds;

// What the server says at a step: a reply, or one of these; a reply with "HANG UP" behind it is the
// last.
const std::string hang_up = "HANG UP";
const std::string stall = "STALL";
const std::string drip = "DRIP";  // a reply that goes on for ten seconds, line by line

// Steps: "greeting", "EHLO", "HELO", "STARTTLS", "MAIL", "RCPT" (or "RCPT <address>"), "DATA",
// "body" (before the message is read), ".".
using Script = std::map<std::string, std::string>;

const Script willing{{"greeting", "220 mx"}, {"EHLO", "250 mx"},      {"HELO", "250 mx"},
                     {"STARTTLS", "220 go"}, {"MAIL", "250 sender"},  {"RCPT", "250 recipient"},
                     {"DATA", "354 go"},     {".", "250 queued as 1"}};

Script with(Script script, const Script& changes) {
  for (const auto& [step, reply] : changes) script[step] = reply;
  return script;
}

class ScriptedServer {
 public:
  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
      throw std::bad_alloc();
    theirs_.reset(ends[0]);
    ours_.reset(ends[1]);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() { finish(); }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  int client_end() const { return theirs_.get(); }
  // The client is through: what it sent, lines joined by '|'.
  std::string heard() {
    finish();
    return heard_;
  }
  std::size_t longest_flight() const { return longest_flight_; }

 private:
  void finish() {
    theirs_.reset();
    if (thread_.joinable()) thread_.join();
  }

  bool send(const std::string& text) const {
    std::string_view rest = text;
    while (!rest.empty()) {
      const ssize_t put = ::send(ours_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
      if (put <= 0) return false;
      rest.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }

  bool say(const std::string& step, const std::string& argument = "") {
    const auto special = script_.find(step + " " + argument);
    const std::string& reply = special == script_.end() ? script_.at(step) : special->second;
    if (reply == hang_up) return false;
    if (reply == stall) {
      // Until the client goes.
      pollfd entry{ours_.get(), 0, 0};
      EXPECT_GT(::poll(&entry, 1, 10000), 0) << "the client waits for ever";
      return false;
    }
    if (reply == drip) {
      for (int i = 0; i < 100 && send("250-x\r\n"); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
      return false;
    }
    if (reply.ends_with(hang_up)) {
      send(reply.substr(0, reply.size() - hang_up.size()));
      gone_ = true;
      return false;
    }
    return send(reply + "\r\n");
  }

  std::optional<std::string> line() {
    for (;;) {
      const std::size_t end = buffer_.find("\r\n");
      if (end != std::string::npos) {
        std::string found = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        heard_ += (heard_.empty() ? "" : "|") + found;
        return found;
      }
      std::array<char, 65536> block{};
      const ssize_t got = ::read(ours_.get(), block.data(), block.size());
      if (got <= 0) {
        if (!buffer_.empty()) heard_ += "|CUT " + buffer_;
        return std::nullopt;
      }
      buffer_.append(block.data(), static_cast<std::size_t>(got));
      longest_flight_ = std::max(longest_flight_, buffer_.size());
    }
  }

  void serve() {
    converse();
    if (gone_) {  // without a look at what else came
      ours_.reset();
      return;
    }
    // Whatever else was on its way, until the client is gone.
    ::shutdown(ours_.get(), SHUT_WR);
    while (line()) {
    }
    ours_.reset();
  }

  void converse() {
    if (!say("greeting")) return;
    while (const auto command = line()) {
      const std::string verb = command->substr(0, command->find(' '));
      if (verb == "QUIT") return;
      if (verb == "DATA") {
        if (!say("DATA")) return;
        if (script_.at("DATA").substr(0, 1) != "3") continue;
        if (script_.contains("body") && !say("body")) return;
        for (auto text = line(); text && *text != "."; text = line()) {
        }
        if (!say(".")) return;
        continue;
      }
      const std::size_t open = command->find('<');
      if (!say(verb, open == std::string::npos ? "" : command->substr(open))) return;
    }
  }

  Script script_;
  UniqueFd theirs_;
  UniqueFd ours_;
  std::string buffer_;
  std::string heard_;
  std::size_t longest_flight_ = 0;
  bool gone_ = false;
  std::thread thread_;
};

std::string shown(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c == '\0') {
      text += "\\0";
    } else {
      text += c == '\n' ? '/' : c;
    }
  }
  return text;
}

struct Outcome {
  std::string reports;  // all of it, NUL as \0 and LF as /
  Then then;
  std::string heard;
  std::size_t longest_flight;
};

class DeliveryTest : public testing::Test {
 protected:
  Outcome deliver(const Script& script, const std::string& message = "hi\n") {
    folder_.write("message", message);
    const UniqueFd fd(::open(folder_.path("message").c_str(), O_RDONLY | O_CLOEXEC));
    return deliver_from(script, fd.get());
  }

  Outcome deliver_from(const Script& script, int message) {
    ScriptedServer server(script);
    const Mail mail{sender_, recipients_, message};
    Reports reports;
    Outcome outcome{};
    {
      DnsClient nobody(std::nullopt);
      const auto policy = policies().of({server_.address, 0, server_.name}, server_.port, nobody);
      const Ending ending =
          policy ? Delivery(server.client_end(), server_, *policy, manner_, mail, reports, flights_)
                       .run()
                 : policy.error();
      std::array<int, 2> ends{};
      EXPECT_EQ(::pipe(ends.data()), 0);
      reports.finish(ends[1], ending.report.status, ending.report.text);
      std::array<char, 65536> buffer{};
      const ssize_t got = ::read(ends[0], buffer.data(), buffer.size());
      ::close(ends[0]);
      ::close(ends[1]);
      outcome.reports = shown({buffer.data(), static_cast<std::size_t>(got)});
      outcome.then = ending.then;
    }
    outcome.heard = server.heard();
    outcome.longest_flight = server.longest_flight();
    return outcome;
  }

  ServerPolicies policies() const {
    ServerPolicies::Credentials credentials{manner_.login != nullptr};
    if (credentials.any && !manner_.allow_insecure_auth) credentials.demand = manner_.login->why;
    return {manner_.control, {"x.test"}, credentials};
  }

  test::ScratchFolder folder_;
  std::string sender_ = "alice@client.test";
  std::vector<Recipient> recipients_{{"bob@x.test"}};
  Flights flights_ = Flights::as_offered;
  Server server_{*parse_ip("192.0.2.1"), 25, "mx.test"};
  Manner manner_{"client.test", seconds(5), ControlDir(folder_.path()), false};
};

constexpr const char* accepted =
    "r\\0K192.0.2.1 accepted message./Remote host said: 250 queued as 1/\\0";

TEST_F(DeliveryTest, TheWholeDialogue) {
  const Outcome outcome = deliver(willing, "Subject: x\n\n.dot\n");
  EXPECT_EQ(outcome.reports, accepted);
  EXPECT_EQ(outcome.then, Then::give_up);
  EXPECT_EQ(outcome.heard,
            "EHLO client.test|MAIL FROM:<alice@client.test>|RCPT TO:<bob@x.test>|DATA|Subject: x||"
            "..dot|.|QUIT");
}

// Each step's replies of each class: report, whether the next exchanger is tried, last command.
TEST_F(DeliveryTest, RepliesByTable) {
  const struct {
    const char* step;
    const char* reply;
    const char* reports;
    bool try_next;
  } cases[] = {
      {"greeting", "554 no",
       "ZConnected to 192.0.2.1 but greeting failed./Remote host said: 554 no/\\0", true},
      {"greeting", "250 hi",
       "ZConnected to 192.0.2.1 but greeting failed./Remote host said: 250 hi/\\0", true},
      {"greeting", "hello",
       "ZConnected to 192.0.2.1 but greeting failed./Remote host said: hello/\\0", true},
      {"HELO", "550 no",
       "ZConnected to 192.0.2.1 but my name was rejected./Remote host said: 550 no/\\0", true},
      {"MAIL", "451 no",
       "ZConnected to 192.0.2.1 but sender was rejected./Remote host said: 451 no/\\0", false},
      {"MAIL", "550 no",
       "DConnected to 192.0.2.1 but sender was rejected./Remote host said: 550 no/\\0", false},
      {"MAIL", "354 no",
       "ZConnected to 192.0.2.1 but sender was rejected./Remote host said: 354 no/\\0", false},
      {"MAIL", "what",
       "ZConnected to 192.0.2.1 but sender was rejected./Remote host said: what/\\0", false},
      {"RCPT", "450 no",
       "s192.0.2.1 does not like recipient./Remote host said: 450 no/\\0DGiving up on "
       "192.0.2.1./\\0",
       false},
      {"RCPT", "550 no",
       "h192.0.2.1 does not like recipient./Remote host said: 550 no/\\0DGiving up on "
       "192.0.2.1./\\0",
       false},
      {"RCPT", "350 no",
       "s192.0.2.1 does not like recipient./Remote host said: 350 no/\\0DGiving up on "
       "192.0.2.1./\\0",
       false},
      {"RCPT", "no no",
       "s192.0.2.1 does not like recipient./Remote host said: no no/\\0DGiving up on "
       "192.0.2.1./\\0",
       false},
      {"DATA", "451 no", "r\\0Z192.0.2.1 failed on DATA command./Remote host said: 451 no/\\0",
       false},
      {"DATA", "554 no", "r\\0D192.0.2.1 failed on DATA command./Remote host said: 554 no/\\0",
       false},
      {"DATA", "250 ok", "r\\0Z192.0.2.1 failed on DATA command./Remote host said: 250 ok/\\0",
       false},
      {".", "451 no",
       "r\\0Z192.0.2.1 failed after I sent the message./Remote host said: 451 no/\\0", false},
      {".", "554 no",
       "r\\0D192.0.2.1 failed after I sent the message./Remote host said: 554 no/\\0", false},
      {".", "354 no",
       "r\\0Z192.0.2.1 failed after I sent the message./Remote host said: 354 no/\\0", false},
      {".", "199 no",
       "r\\0Z192.0.2.1 failed after I sent the message./Remote host said: 199 no/\\0", false},
      {".", "250-a\r\n550-b\r\n250 c",
       "r\\0K192.0.2.1 accepted message./Remote host said: 250-a/550-b/250 c/\\0", false},
      {".", "299", "r\\0K192.0.2.1 accepted message./Remote host said: 299/\\0", false},
  };
  for (const auto& one : cases) {
    const Script refused_ehlo{
        {"EHLO", std::string_view(one.step) == "HELO" ? "500 what" : "250 mx"}};
    const Outcome outcome = deliver(with(with(willing, refused_ehlo), {{one.step, one.reply}}));
    EXPECT_EQ(outcome.reports, one.reports) << one.step << " " << one.reply;
    EXPECT_EQ(outcome.then, one.try_next ? Then::try_next : Then::give_up)
        << one.step << " " << one.reply;
    EXPECT_TRUE(outcome.heard.ends_with("QUIT")) << outcome.heard;
  }
}

// A connection lost or silent at each step.
TEST_F(DeliveryTest, LostConnectionsByTable) {
  const struct {
    const char* step;
    const char* reports;
    bool try_next;
  } cases[] = {
      {"greeting", "ZConnected to 192.0.2.1 but connection died. (#4.4.2)/\\0", true},
      {"EHLO", "ZConnected to 192.0.2.1 but connection died. (#4.4.2)/\\0", true},
      {"MAIL", "ZConnected to 192.0.2.1 but connection died. (#4.4.2)/\\0", false},
      {"RCPT", "ZConnected to 192.0.2.1 but connection died. (#4.4.2)/\\0", false},
      {"DATA", "r\\0ZConnected to 192.0.2.1 but connection died. (#4.4.2)/\\0", false},
      {".", "r\\0ZConnected to 192.0.2.1 but connection died. Possible duplicate! (#4.4.2)/\\0",
       false},
  };
  manner_.timeout = seconds(1);
  for (const auto& one : cases) {
    for (const std::string& how : {hang_up, stall}) {
      const Outcome outcome = deliver(with(willing, {{one.step, how}}));
      EXPECT_EQ(outcome.reports, one.reports) << one.step << " " << how;
      EXPECT_EQ(outcome.then, one.try_next ? Then::try_next : Then::give_up)
          << one.step << " " << how;
      EXPECT_EQ(outcome.heard.find("QUIT"), std::string::npos) << outcome.heard;
    }
  }
}

// A server that changes its mind within a reply: its last word counts where its first was success.
TEST_F(DeliveryTest, LastLinesByTable) {
  const struct {
    const char* step;
    const char* reply;
    const char* reports;
    Then then;
  } cases[] = {
      {"greeting", "220-mx\r\n521 blocked",
       "ZConnected to 192.0.2.1 but greeting failed./Remote host said: 220-mx/521 blocked/\\0",
       Then::try_next},
      {"EHLO", "250-mx\r\n550 blocked", accepted, Then::give_up},  // HELO instead
      {"HELO", "250-mx\r\n550 blocked",
       "ZConnected to 192.0.2.1 but my name was rejected./Remote host said: 250-mx/550 "
       "blocked/\\0",
       Then::try_next},
      {"STARTTLS", "220-go\r\n454 not now", accepted, Then::give_up},  // in the clear then
      {"MAIL", "250-ok\r\n451 later",
       "ZConnected to 192.0.2.1 but sender was rejected./Remote host said: 250-ok/451 later/\\0",
       Then::give_up},
      {"MAIL", "250-ok\r\n550 no",
       "DConnected to 192.0.2.1 but sender was rejected./Remote host said: 250-ok/550 no/\\0",
       Then::give_up},
      {"RCPT", "250-ok\r\n550 no",
       "h192.0.2.1 does not like recipient./Remote host said: 250-ok/550 no/\\0DGiving up on "
       "192.0.2.1./\\0",
       Then::give_up},
      {"DATA", "354-go\r\n451 stay",
       "r\\0Z192.0.2.1 failed on DATA command./Remote host said: 354-go/451 stay/\\0",
       Then::give_up},
      {".", "250-ok\r\n554 virus",
       "r\\0D192.0.2.1 failed after I sent the message./Remote host said: 250-ok/554 virus/\\0",
       Then::give_up},
      {".", "250-ok\r\n451 later",
       "r\\0Z192.0.2.1 failed after I sent the message./Remote host said: 250-ok/451 later/\\0",
       Then::give_up},
  };
  for (const auto& one : cases) {
    const std::string step = one.step;
    const Script ehlo{{"EHLO", step == "HELO"       ? "500 what"
                               : step == "STARTTLS" ? "250-mx\r\n250 STARTTLS"
                                                    : "250 mx"}};
    const Outcome outcome = deliver(with(with(willing, ehlo), {{one.step, one.reply}}));
    EXPECT_EQ(outcome.reports, one.reports) << one.step << " " << one.reply;
    EXPECT_EQ(outcome.then, one.then) << one.step << " " << one.reply;
    EXPECT_EQ(outcome.heard.find("HELO client") != std::string::npos,
              step == "EHLO" || step == "HELO");
  }
}

// What is there before the final dot has gone out is no acceptance, however whole it is.
TEST_F(DeliveryTest, AVerdictFromBeforeTheDot) {
  const std::string big(3'000'000, 'x');
  for (const std::string& message : {std::string("hi\n"), big + "\n"}) {
    const auto data = [&](const std::string& said, const std::string& verdict) {
      return deliver(with(willing, {{"DATA", "354 go\r\n" + said}, {".", verdict}}), message);
    };
    EXPECT_EQ(data("250 ok", "554 virus").reports,
              "r\\0D192.0.2.1 failed after I sent the message./Remote host said: 554 virus/\\0");
    EXPECT_EQ(data("250 ok\r\n299 ok\r\n354 go\r\nwhat", "250 queued as 1").reports, accepted);
    EXPECT_EQ(data("250 ok\r\n250-half", "250 ok\r\n554 virus").reports,
              "r\\0D192.0.2.1 failed after I sent the message./Remote host said: 554 virus/\\0");
    EXPECT_EQ(data("250 ok", "451 later").reports,
              "r\\0Z192.0.2.1 failed after I sent the message./Remote host said: 451 later/\\0");
    for (const char* refusal : {"552 too large", "452 full"}) {
      const Outcome early = data(refusal, "250 ok");
      EXPECT_EQ(early.reports, std::string("r\\0") + (refusal[0] == '5' ? "D" : "Z") +
                                   "192.0.2.1 failed after I sent the message./Remote host said: " +
                                   refusal + "/\\0");
      EXPECT_EQ(early.heard.find("|.|"), std::string::npos);
      EXPECT_EQ(early.heard.find("QUIT"), std::string::npos) << "in the middle of a message";
    }
  }
}

// It refuses in the middle of the message and hangs up: what it said is the verdict.
TEST_F(DeliveryTest, LastWordsInTheMessage) {
  const std::string big(8'000'000, 'x');
  const auto body = [&](const std::string& said) {
    return deliver(with(willing, {{"body", said}}), big + "\n").reports;
  };
  EXPECT_EQ(body("552 too large\r\nHANG UP"),
            "r\\0D192.0.2.1 failed after I sent the message./Remote host said: 552 too large/\\0");
  EXPECT_EQ(body("250 ok\r\n452-full\r\n452 later\r\nHANG UP"),
            "r\\0Z192.0.2.1 failed after I sent the message./Remote host said: 452-full/452 "
            "later/\\0");
  // No refusal: no verdict, and the final dot was not sent.
  for (const char* said :
       {"250 ok\r\nHANG UP", "552 half of a li\\HANG UP", "what\r\nHANG UP", "HANG UP"}) {
    EXPECT_EQ(body(said), "r\\0ZConnected to 192.0.2.1 but connection died. (#4.4.2)/\\0") << said;
  }
}

TEST_F(DeliveryTest, LastWordsInALongFlight) {
  recipients_.assign(300, {std::string(2000, 'x') + "@x.test"});
  const Script flights = with(willing, {{"EHLO", "250-mx\r\n250 PIPELINING"}});
  EXPECT_EQ(deliver(with(flights, {{"MAIL", "550 no\r\nHANG UP"}})).reports,
            "DConnected to 192.0.2.1 but sender was rejected./Remote host said: 550 no/\\0");
  const Outcome outcome = deliver(with(flights, {{"RCPT", "421 bye\r\nHANG UP"}}));
  EXPECT_EQ(outcome.reports,
            "s192.0.2.1 does not like recipient./Remote host said: 421 bye/\\0ZConnected to "
            "192.0.2.1 but connection died. (#4.4.2)/\\0");
}

// A server that says it hangs up, before the envelope: another may do better.
TEST_F(DeliveryTest, ClosingBeforeMail) {
  const Script offering = with(willing, {{"EHLO", "250-mx\r\n250 STARTTLS"}});
  const Outcome at_starttls = deliver(with(offering, {{"STARTTLS", "421 busy"}}));
  EXPECT_EQ(at_starttls.reports,
            "ZSTARTTLS rejected; connecting to 192.0.2.1./Remote host said: 421 busy/\\0");
  EXPECT_EQ(at_starttls.then, Then::try_next);
  EXPECT_EQ(at_starttls.heard, "EHLO client.test|STARTTLS|QUIT");

  const std::string why =
      "ZConnected to 192.0.2.1 but my name was rejected./Remote host said: 421 busy/\\0";
  const Outcome at_ehlo = deliver(with(willing, {{"EHLO", "421 busy\r\nHANG UP"}}));
  EXPECT_EQ(at_ehlo.reports, why);
  EXPECT_EQ(at_ehlo.then, Then::try_next);
  EXPECT_EQ(deliver(with(willing, {{"EHLO", "421 busy"}})).reports, accepted);  // it goes on

  folder_.write("tlshosts/mx.test.pem", "no certificate at all\n");
  const Outcome demanded = deliver(with(willing, {{"EHLO", "421 busy"}}));
  EXPECT_EQ(demanded.reports, why);
  EXPECT_EQ(demanded.then, Then::try_next);
}

// STARTTLS is seen wherever it stands, also where the text kept for reports has long ended.
TEST_F(DeliveryTest, KeywordsBeyondTheKeptText) {
  std::string ehlo = "250-mx";
  for (int i = 0; i < 300; ++i) ehlo += "\r\n250-X" + std::string(60, 'x');
  const Outcome outcome =
      deliver(with(willing, {{"EHLO", ehlo + "\r\n250-STARTTLS\r\n250 PIPELINING"},
                             {"STARTTLS", "454 not now"}}));
  EXPECT_EQ(outcome.reports, accepted);
  EXPECT_TRUE(outcome.heard.starts_with("EHLO client.test|STARTTLS|MAIL FROM:")) << outcome.heard;
}

// A reply has an end in time and in length.
TEST_F(DeliveryTest, RepliesThatDoNotEnd) {
  const std::string died = "ZConnected to 192.0.2.1 but connection died. (#4.4.2)/\\0";
  std::string endless;
  for (int i = 0; i < 2000; ++i) endless += "250-" + std::string(996, 'x') + "\r\n";
  const Outcome too_long = deliver(with(willing, {{"greeting", endless + "250 x"}}));
  EXPECT_EQ(too_long.reports, died);
  EXPECT_EQ(too_long.then, Then::try_next);

  manner_.timeout = seconds(1);
  const auto start = std::chrono::steady_clock::now();
  const Outcome dripping = deliver(with(willing, {{"greeting", "DRIP"}}));
  EXPECT_EQ(dripping.reports, died);
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(3));
}

TEST_F(DeliveryTest, WithoutFlights) {
  flights_ = Flights::never;
  const Outcome outcome = deliver(with(willing, {{"EHLO", "250-mx\r\n250 PIPELINING"}}));
  EXPECT_EQ(outcome.reports, accepted);
  EXPECT_LT(outcome.longest_flight, 40U);
}

// The reports do not depend on whether the server takes commands in one flight.
TEST_F(DeliveryTest, PipeliningChangesNoReport) {
  recipients_ = {{"a@x.test"}, {"", true}, {"b@x.test"}, {"c@x.test"}};
  const Script tables[] = {
      {},
      {{"MAIL", "550 no"}},
      {{"MAIL", "421 bye"}},
      {{"RCPT <b@x.test>", "550 no b"}},
      {{"RCPT <a@x.test>", "450-no a\r\n450 later"}, {"RCPT <c@x.test>", "552 no c"}},
      {{"RCPT", "550 none of you"}},
      {{"RCPT <b@x.test>", hang_up}},
      {{"RCPT <c@x.test>", "banana"}},
      {{"DATA", "554 no"}},
      {{".", "451 later"}},
      {{".", hang_up}},
  };
  for (const Script& changes : tables) {
    const Script one_by_one = with(willing, changes);
    const Script in_flights = with(one_by_one, {{"EHLO", "250-mx\r\n250 PIPELINING"}});
    const Outcome slow = deliver(one_by_one);
    const Outcome fast = deliver(in_flights);
    EXPECT_EQ(fast.reports, slow.reports);
    const std::string label = changes.empty() ? "" : changes.begin()->first;
    EXPECT_EQ(slow.then, Then::give_up) << label;
    // A flight that was not answered to its end: perhaps it was the flight.
    EXPECT_EQ(fast.then, label == "RCPT <b@x.test>" && !slow.heard.ends_with("QUIT")
                             ? Then::without_flights
                             : Then::give_up)
        << label;
    if (label.substr(0, 4) != "MAIL" && slow.heard.ends_with("QUIT")) {
      EXPECT_EQ(fast.heard, slow.heard) << label;  // same commands in the same order
    }
  }
  const Outcome outcome = deliver(with(willing, {{"RCPT <b@x.test>", "550 no b"}}));
  EXPECT_EQ(outcome.reports,
            "r\\0hSorry, recipient address contains a line break. (#5.1.3)/\\0"
            "h192.0.2.1 does not like recipient./Remote host said: 550 no b/\\0r\\0"
            "K192.0.2.1 accepted message./Remote host said: 250 queued as 1/\\0");
}

TEST_F(DeliveryTest, FlightsAreBounded) {
  recipients_.assign(400, {std::string(200, 'x') + "@x.test"});
  recipients_.push_back({std::string(30000, 'y') + "@x.test"});
  const Outcome fast = deliver(with(willing, {{"EHLO", "250-mx\r\n250 PIPELINING"}}));
  EXPECT_EQ(fast.reports.find("Z"), std::string::npos);
  EXPECT_NE(fast.reports.find("K192.0.2.1 accepted"), std::string::npos);
  EXPECT_GT(fast.longest_flight, 4000U);
  EXPECT_LT(fast.longest_flight, 30100U);
  recipients_.pop_back();
  EXPECT_LE(deliver(with(willing, {{"EHLO", "250-mx\r\n250 PIPELINING"}})).longest_flight, 8300U);
}

// MAIL's parameters: what is wanted, what the server offers, what goes out. "-": not even MAIL.
TEST_F(DeliveryTest, MailParametersByTable) {
  const std::string all = "250-mx\r\n250-SIZE 12\r\n250-8bitmime\r\n250 SMTPUTF8";
  const std::string eight = "a\xc3\xa4\n";
  const std::string name = "j\xc3\xb6rg@x.test";
  const WantedParameters size{true, false, false};
  const WantedParameters body{false, true, false};
  const WantedParameters utf8{false, false, true};
  const WantedParameters every{true, true, true};
  const struct {
    WantedParameters wanted;
    std::string ehlo;
    std::string message;
    std::string sender;
    std::string recipient;
    std::string behind;
  } cases[] = {
      {{}, all, eight, name, "b@x.test", ""},
      {size, all, "hi\n", "a@x.test", "b@x.test", " SIZE=3"},
      {size, all, "hi\nhi\nhi\nhi\n", "a@x.test", "b@x.test", " SIZE=12"},
      {size, all, "hi\nhi\nhi\nhi\n\n", "a@x.test", "b@x.test",
       "-message of 13 bytes is longer than the 12 it takes. (#5.3.4)"},
      {body, all, "hi\nhi\nhi\nhi\n\n", "a@x.test", "b@x.test", ""},
      {size, "250-mx\r\n250 SIZE", "hi\n", "a@x.test", "b@x.test", " SIZE=3"},
      {size, "250-mx\r\n250 SIZE 0", "hi\n", "a@x.test", "b@x.test", " SIZE=3"},
      {size, "250-mx\r\n250 size 2 x", "hi\n", "a@x.test", "b@x.test",
       "-message of 3 bytes is longer than the 2 it takes. (#5.3.4)"},
      {size, "250-mx\r\n250 SIZE some", "hi\n", "a@x.test", "b@x.test", " SIZE=3"},
      {size, "250-mx\r\n250 SIZE 99999999999999999999", "hi\n", "a@x.test", "b@x.test", " SIZE=3"},
      {size, "250-mx\r\n250 SIZES 2", "hi\n", "a@x.test", "b@x.test", ""},
      {size, "250 mx", "hi\n", "a@x.test", "b@x.test", ""},
      {body, all, "hi\n", "a@x.test", "b@x.test", ""},
      {body, all, eight, "a@x.test", "b@x.test", " BODY=8BITMIME"},
      {body, all, std::string(200000, 'x') + "\x80\n", "a@x.test", "b@x.test", " BODY=8BITMIME"},
      {body, "250 mx", eight, "a@x.test", "b@x.test", ""},
      {utf8, all, eight, "a@x.test", "b@x.test", ""},
      {utf8, all, "hi\n", name, "b@x.test", " SMTPUTF8"},
      {utf8, all, "hi\n", "a@x.test", name, " SMTPUTF8"},
      {utf8, "250 mx", "hi\n", "a@x.test", name,
       "-it takes no address with such letters. (#5.6.7)"},
      {utf8, "250 mx", eight, "a@x.test", "b@x.test", ""},
      {every, all, eight, name, "b@x.test", " SIZE=4 BODY=8BITMIME SMTPUTF8"},
      {every, "502 what", eight, "a@x.test", "b@x.test", ""},
  };
  for (const auto& one : cases) {
    manner_.parameters = one.wanted;
    sender_ = one.sender;
    recipients_ = {{one.recipient}, {"", true}};
    const Outcome outcome = deliver(with(willing, {{"EHLO", one.ehlo}}), one.message);
    if (one.behind.starts_with('-')) {
      EXPECT_EQ(outcome.reports, "DConnected to 192.0.2.1 but " + one.behind.substr(1) + "/\\0");
      EXPECT_EQ(outcome.heard, "EHLO client.test|QUIT");
      EXPECT_EQ(outcome.then, Then::give_up);
      continue;
    }
    EXPECT_NE(outcome.heard.find("|MAIL FROM:<" + one.sender + ">" + one.behind + "|"),
              std::string::npos)
        << outcome.heard << " wanted: " << one.behind;
    EXPECT_NE(outcome.reports.find("\\0K"), std::string::npos) << outcome.reports;
  }
}

// What is read is what lies behind the current offset, and the message goes out whole afterwards.
// Of a pipe nobody knows.
TEST_F(DeliveryTest, MailParametersOfWhatIsLeft) {
  manner_.parameters = {true, true, true};
  const Script server =
      with(willing, {{"EHLO", "250-mx\r\n250-SIZE 12\r\n250-8BITMIME\r\n250 SMTPUTF8"}});
  folder_.write("message", "\xc3\xa4 passed over\nhi\nho\n");
  const UniqueFd fd(::open(folder_.path("message").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::lseek(fd.get(), 15, SEEK_SET), 15);
  const Outcome outcome = deliver_from(server, fd.get());
  EXPECT_NE(outcome.heard.find("> SIZE=6|RCPT"), std::string::npos) << outcome.heard;
  EXPECT_TRUE(outcome.heard.ends_with("|DATA|hi|ho|.|QUIT")) << outcome.heard;

  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const UniqueFd pipe(ends[0]);
  ASSERT_EQ(::write(ends[1], "\xc3\xa4\n", 3), 3);
  ::close(ends[1]);
  const Outcome piped = deliver_from(server, pipe.get());
  EXPECT_NE(piped.heard.find("client.test>|RCPT"), std::string::npos) << piped.heard;
  EXPECT_TRUE(piped.heard.ends_with("|DATA|\xc3\xa4|.|QUIT")) << piped.heard;
}

TEST_F(DeliveryTest, MailParametersOfAMessageThatCannotBeRead) {
  manner_.parameters = {false, true, false};
  folder_.write("message", "hi\n");
  const UniqueFd fd(::open(folder_.path("message").c_str(), O_WRONLY | O_CLOEXEC));
  const Outcome outcome =
      deliver_from(with(willing, {{"EHLO", "250-mx\r\n250 8BITMIME"}}), fd.get());
  EXPECT_EQ(outcome.reports, "ZUnable to read message. (#4.3.0)/\\0");
  EXPECT_EQ(outcome.heard, "EHLO client.test|QUIT");
}

// Only of a message that was taken.
TEST_F(DeliveryTest, TlsInTheReport) {
  manner_.with_tls_words = true;
  EXPECT_EQ(deliver(willing).reports,
            "r\\0K192.0.2.1 accepted message./TLS: none./Remote host said: 250 queued as 1/\\0");
  for (const char* step : {"greeting", "MAIL", "DATA", "."}) {
    EXPECT_EQ(deliver(with(willing, {{step, "554 no"}})).reports.find("TLS"), std::string::npos);
  }
}

// DATA in the flight of the recipients: the same reports for the same replies, and a server that
// goes on to wait for a message that is for nobody gets an empty one.
TEST_F(DeliveryTest, DataWithTheRecipients) {
  recipients_ = {{"a@x.test"}, {"", true}, {"b@x.test"}};
  const std::string envelope =
      "EHLO client.test|MAIL FROM:<alice@client.test>|RCPT TO:<a@x.test>|RCPT TO:<b@x.test>|DATA|";
  const struct {
    Script changes;
    const char* behind_the_envelope;
  } cases[] = {
      {{}, "hi|.|QUIT"},
      {{{"RCPT <a@x.test>", "550 no"}}, "hi|.|QUIT"},
      {{{"DATA", "451 later"}}, "QUIT"},
      {{{"DATA", "250 what"}}, "QUIT"},
      {{{".", "554 no"}}, "hi|.|QUIT"},
      {{{"MAIL", "550 no"}, {"RCPT", "503 what"}, {"DATA", "503 what"}}, "QUIT"},
      {{{"MAIL", "550 no"}}, ".|QUIT"},
      {{{"MAIL", "451 no"}, {".", "554 no recipients"}}, ".|QUIT"},
      {{{"RCPT", "550 no"}, {"DATA", "503 no recipients"}}, "QUIT"},
      {{{"RCPT", "550 no"}}, ".|QUIT"},
      {{{"RCPT", "450 no"}, {".", "what"}}, ".|QUIT"},
      // Hanging up on what is only being taken back changes nothing.
      {{{"MAIL", "550 no"}, {"RCPT", hang_up}}, ""},
      {{{"RCPT", "550 no"}, {"DATA", hang_up}}, ""},
      {{{"RCPT", "550 no"}, {".", hang_up}}, "."},
  };
  for (const auto& one : cases) {
    const Script one_by_one = with(willing, one.changes);
    manner_.pipelining = {};
    const Outcome slow = deliver(one_by_one);
    manner_.pipelining.data = true;
    const Outcome fast = deliver(with(one_by_one, {{"EHLO", "250-mx\r\n250 PIPELINING"}}));
    EXPECT_EQ(fast.reports, slow.reports);
    EXPECT_EQ(fast.then, Then::give_up) << fast.reports;
    std::string heard = envelope + one.behind_the_envelope;
    if (heard.ends_with('|')) heard.pop_back();
    EXPECT_EQ(fast.heard, heard);
  }
}

TEST_F(DeliveryTest, DataWithTheRecipientsThatIsNotAnswered) {
  manner_.pipelining.data = true;
  const Script in_flights = with(willing, {{"EHLO", "250-mx\r\n250 PIPELINING"}});
  const Outcome outcome = deliver(with(in_flights, {{"DATA", hang_up}}));
  EXPECT_EQ(outcome.reports, "r\\0ZConnected to 192.0.2.1 but connection died. (#4.4.2)/\\0");
  EXPECT_EQ(outcome.then, Then::without_flights);
  // Then, and wherever PIPELINING is not on offer, it waits.
  flights_ = Flights::never;
  EXPECT_LT(deliver(in_flights).longest_flight, 40U);
  flights_ = Flights::as_offered;
  EXPECT_LT(deliver(willing).longest_flight, 40U);
}

// Recipients and DATA make one flight or DATA waits for the next one.
TEST_F(DeliveryTest, DataGoesOnlyWithAllRecipients) {
  manner_.pipelining.data = true;
  const Script in_flights = with(willing, {{"EHLO", "250-mx\r\n250 PIPELINING"}});
  constexpr std::size_t commands = 8;
  constexpr std::size_t around = std::string_view("RCPT TO:<>\r\n").size();
  constexpr std::size_t room = 8192 / commands - around;
  // The last byte of the last recipient decides.
  for (const std::size_t left : {std::size_t{6}, std::size_t{5}}) {
    recipients_.assign(commands, {std::string(room, 'x')});
    recipients_.back().address.resize(room - left);
    const Outcome outcome = deliver(with(in_flights, {{"DATA", hang_up}}));
    EXPECT_EQ(outcome.then, left == 6 ? Then::without_flights : Then::give_up) << left;
  }
}

// QUIT behind the final dot. The reply to QUIT is nothing to wait for, and no verdict.
TEST_F(DeliveryTest, QuitBehindTheDot) {
  manner_.pipelining.quit = true;
  const Script in_flights = with(willing, {{"EHLO", "250-mx\r\n250 PIPELINING"}});
  const std::string duplicate =
      "r\\0ZConnected to 192.0.2.1 but connection died. Possible duplicate! (#4.4.2)/\\0";
  const struct {
    const char* verdict;
    std::string reports;
  } cases[] = {
      {"250 queued as 1", accepted},
      {"250 queued as 1\r\n221 bye", accepted},
      {"250 queued as 1\r\n421 bye", accepted},
      {"250 queued as 1\r\nHANG UP", accepted},
      {"554 no", "r\\0D192.0.2.1 failed after I sent the message./Remote host said: 554 no/\\0"},
      {"451 no", "r\\0Z192.0.2.1 failed after I sent the message./Remote host said: 451 no/\\0"},
      {"221 bye", duplicate},
      {"HANG UP", duplicate},
  };
  for (const auto& one : cases) {
    const Outcome outcome = deliver(with(in_flights, {{".", one.verdict}}));
    EXPECT_EQ(outcome.reports, one.reports) << one.verdict;
    EXPECT_EQ(outcome.then, Then::give_up);
    if (!std::string_view(one.verdict).ends_with("HANG UP")) {
      EXPECT_TRUE(outcome.heard.ends_with("hi|.|QUIT")) << outcome.heard;
    }
  }
  EXPECT_EQ(deliver(willing).heard.find("QUIT"), deliver(willing).heard.size() - 4);
}

TEST_F(DeliveryTest, MessagesThatCannotBeSent) {
  const Outcome partial = deliver(willing, "whole\nhalf");
  EXPECT_EQ(partial.reports,
            "r\\0DSMTP cannot transfer messages with partial final lines. (#5.6.2)/\\0");
  EXPECT_EQ(partial.heard.find("|.|"), std::string::npos) << partial.heard;
  EXPECT_EQ(partial.heard.find("QUIT"), std::string::npos) << partial.heard;
  EXPECT_EQ(deliver(willing, "half\r").reports, partial.reports);

  const UniqueFd directory(::open(folder_.path().c_str(), O_RDONLY | O_CLOEXEC));
  const Outcome unreadable = deliver_from(willing, directory.get());
  EXPECT_EQ(unreadable.reports, "r\\0ZUnable to read message. (#4.3.0)/\\0");
  EXPECT_EQ(unreadable.heard.find("QUIT"), std::string::npos) << unreadable.heard;
}

TEST_F(DeliveryTest, LargeMessagesArriveWhole) {
  std::string message;
  std::string lines;
  for (int i = 0; i < 30000; ++i) {
    const std::string line = (i % 7 == 0 ? "." : "") + std::to_string(i * 31) + "-text";
    message += line + "\n";
    lines += (i % 7 == 0 ? "|." : "|") + line;
  }
  const Outcome outcome = deliver(willing, message);
  EXPECT_EQ(outcome.reports, accepted);
  EXPECT_NE(outcome.heard.find("DATA" + lines + "|.|QUIT"), std::string::npos);
  EXPECT_NE(deliver(willing, "").heard.find("DATA|.|QUIT"), std::string::npos);
}

// A server that reads nothing must not keep us longer than the time-out.
TEST_F(DeliveryTest, AServerThatStopsReading) {
  manner_.timeout = seconds(1);
  const Outcome outcome =
      deliver(with(willing, {{"body", stall}}), std::string(4'000'000, 'x') + "\n");
  EXPECT_EQ(outcome.reports, "r\\0ZConnected to 192.0.2.1 but connection died. (#4.4.2)/\\0");
}

// --- AUTH ---

// Whether a reply to AUTH ends well, ends the delivery, or leaves the next server, and what is
// said.
TEST_F(DeliveryTest, AuthByTable) {
  const Login login{{Secret("joe"), Secret("secret")}, "control/smtproutes has a password for x"};
  manner_.login = &login;
  manner_.allow_insecure_auth = true;
  const std::string rejected = "ZConnected to 192.0.2.1 but authentication was rejected (";
  const struct {
    const char* offered;
    Script replies;
    std::string reports;
    Then then;
    const char* said;  // behind EHLO
  } cases[] = {
      {"AUTH PLAIN",
       {{"AUTH", "235 ok"}},
       accepted,
       Then::give_up,
       "AUTH PLAIN AGpvZQBzZWNyZXQ=|MAIL"},
      {"AUTH=PLAIN",
       {{"AUTH", "235 ok"}},
       accepted,
       Then::give_up,
       "AUTH PLAIN AGpvZQBzZWNyZXQ=|MAIL"},
      {"AUTH LOGIN",
       {{"AUTH", "334 VXNlcm5hbWU6"}, {"am9l", "334 x"}, {"c2VjcmV0", "235 ok"}},
       accepted,
       Then::give_up,
       "AUTH LOGIN|am9l|c2VjcmV0|MAIL"},
      {"AUTH PLAIN CRAM-MD5",
       // RFC 2195's challenge
       {{"AUTH", "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"},
        {"am9lIDczM2JhODdlNjRlZDdlNDQxZjA2MmM0YWM2ZGIwMTAz", "235 ok"}},
       accepted,
       Then::give_up,
       "AUTH CRAM-MD5|"},
      {"AUTH PLAIN",
       {{"AUTH", "535 no"}},
       rejected + "plain)./Remote host said: 535 no/\\0",
       Then::give_up,
       "AUTH PLAIN AGpvZQBzZWNyZXQ=|QUIT"},
      {"AUTH PLAIN",
       {{"AUTH", "454 later"}},
       rejected + "plain)./Remote host said: 454 later/\\0",
       Then::try_next,
       "AUTH PLAIN AGpvZQBzZWNyZXQ=|QUIT"},
      {"AUTH PLAIN",
       {{"AUTH", "235-ok\r\n535 no"}},
       rejected + "plain)./Remote host said: 235-ok/535 no/\\0",
       Then::give_up,
       "AUTH PLAIN"},
      {"AUTH PLAIN",
       {{"AUTH", "what"}},
       rejected + "plain)./Remote host said: what/\\0",
       Then::try_next,
       "AUTH PLAIN"},
      {"AUTH PLAIN",
       {{"AUTH", "334 more"}, {"*", "501 cancelled"}},
       rejected + "plain)./Remote host said: 501 cancelled/\\0",
       Then::try_next,
       "AUTH PLAIN AGpvZQBzZWNyZXQ=|*|QUIT"},
      {"AUTH PLAIN",
       {{"AUTH", "350 what"}, {"*", "235 welcome"}},
       rejected + "plain)./Remote host said: 235 welcome/\\0",
       Then::try_next,
       "AUTH PLAIN AGpvZQBzZWNyZXQ=|*|QUIT"},
      {"AUTH CRAM-MD5",
       {{"AUTH", "334 <no base64>"}, {"*", "501 cancelled"}},
       rejected + "cram-md5)./Remote host said: 501 cancelled/\\0",
       Then::try_next,
       "AUTH CRAM-MD5|*|QUIT"},
      {"AUTH LOGIN",
       {{"AUTH", "334 a"}, {"am9l", "334 b"}, {"c2VjcmV0", "334 c"}, {"*", "501 x"}},
       rejected + "login)./Remote host said: 501 x/\\0",
       Then::try_next,
       "AUTH LOGIN|am9l|c2VjcmV0|*|QUIT"},
      {"AUTH GSSAPI EXTERNAL",
       {},
       "ZConnected to 192.0.2.1 but it offers no AUTH that I can use./\\0",
       Then::try_next,
       "QUIT"},
      {"PIPELINING",
       {},
       "ZConnected to 192.0.2.1 but it offers no AUTH that I can use./\\0",
       Then::try_next,
       "QUIT"},
  };
  for (const auto& one : cases) {
    Script script = with(willing, one.replies);
    script["EHLO"] = std::string("250-mx\r\n250 ") + one.offered;
    const Outcome outcome = deliver(script);
    EXPECT_EQ(outcome.reports, one.reports) << one.offered;
    EXPECT_EQ(outcome.then, one.then) << one.offered;
    EXPECT_TRUE(outcome.heard.starts_with(std::string("EHLO client.test|") + one.said))
        << outcome.heard;
    EXPECT_EQ(outcome.reports.find("secret"), std::string::npos);
  }
}

TEST_F(DeliveryTest, APasswordDemandsTls) {
  const Login login{{Secret("joe"), Secret("secret")}, "control/smtproutes has a password for x"};
  manner_.login = &login;
  const std::string why =
      " while control/smtproutes has a password for x; connecting to 192.0.2.1./";
  const Script offering =
      with(willing, {{"EHLO", "250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS"}, {"AUTH", "235 ok"}});
  const Outcome no_tls = deliver(with(offering, {{"EHLO", "250-mx\r\n250 AUTH PLAIN"}}));
  EXPECT_EQ(no_tls.reports, "ZNo TLS achieved" + why + "\\0");
  EXPECT_EQ(no_tls.then, Then::try_next);
  const Outcome refused = deliver(with(offering, {{"STARTTLS", "454 not now"}}));
  EXPECT_EQ(refused.reports, "ZSTARTTLS rejected" + why + "Remote host said: 454 not now/\\0");
  EXPECT_EQ(refused.then, Then::try_next);
  folder_.write("notlshosts/mx.test", "");
  const Outcome forbidden = deliver(offering);
  EXPECT_EQ(forbidden.reports,
            "ZTLS forbidden by control/notlshosts/mx.test or control/tlshosts/exhaustivelist" +
                why + "\\0");
  EXPECT_EQ(forbidden.then, Then::try_next);
  for (const Outcome* outcome : {&no_tls, &refused, &forbidden}) {
    EXPECT_EQ(outcome->heard.find("AUTH"), std::string::npos) << outcome->heard;
  }
}

// --- TLS policy without TLS ---

TEST_F(DeliveryTest, WhatAPemDemands) {
  folder_.write("tlshosts/mx.test.pem", "no certificate at all\n");
  manner_.control = ControlDir(folder_.path());
  const std::string pem = folder_.path("tlshosts/mx.test.pem");
  const Outcome not_offered = deliver(willing);
  EXPECT_EQ(not_offered.reports,
            "ZNo TLS achieved while " + pem + " exists; connecting to 192.0.2.1./\\0");
  EXPECT_EQ(not_offered.then, Then::give_up);
  EXPECT_EQ(not_offered.heard, "EHLO client.test|QUIT");

  const Outcome unusable = deliver(with(willing, {{"EHLO", "250-mx\r\n250 STARTTLS"}}));
  EXPECT_TRUE(unusable.reports.starts_with("ZTLS unable to load " + pem + ": "))
      << unusable.reports;
  EXPECT_TRUE(unusable.reports.ends_with("; connecting to 192.0.2.1./\\0")) << unusable.reports;
  EXPECT_EQ(unusable.heard, "EHLO client.test|QUIT");
  EXPECT_EQ(unusable.then, Then::give_up);
}

TEST_F(DeliveryTest, StarttlsRefusedWithoutAPem) {
  const Script offering = with(willing, {{"EHLO", "250-mx\r\n250 STARTTLS"}});
  for (const char* reply : {"454 not now", "500 what", "250 not what it should be"}) {
    const Outcome outcome = deliver(with(offering, {{"STARTTLS", reply}}));
    EXPECT_EQ(outcome.reports, accepted) << reply;
    EXPECT_TRUE(outcome.heard.starts_with("EHLO client.test|STARTTLS|MAIL FROM:")) << outcome.heard;
  }
  folder_.write("notlshosts/mx.test", "");
  EXPECT_EQ(deliver(offering).heard.find("STARTTLS"), std::string::npos);
}

TEST_F(DeliveryTest, PlaintextBehindStarttls) {
  const Outcome outcome = deliver(
      with(willing, {{"EHLO", "250-mx\r\n250 STARTTLS"}, {"STARTTLS", "220 go\r\n250 evil"}}));
  EXPECT_EQ(outcome.reports,
            "ZTLS connect failed: plaintext behind the reply to STARTTLS; connected to "
            "192.0.2.1./\\0");
  EXPECT_EQ(outcome.then, Then::try_next);
  EXPECT_EQ(outcome.heard, "EHLO client.test|STARTTLS");  // nothing more, in whatever form
}

TEST_F(DeliveryTest, UnreadableCipherFileIsOurFault) {
  folder_.write("tlsclientciphers/x", "");
  const Outcome outcome = deliver(with(willing, {{"EHLO", "250-mx\r\n250 STARTTLS"}}));
  EXPECT_EQ(outcome.reports, "ZUnable to read control files. (#4.3.0)/\\0");
  EXPECT_EQ(outcome.then, Then::give_up);
  EXPECT_EQ(deliver(willing).reports, accepted);  // not read where TLS is not spoken
}

TEST_F(DeliveryTest, NothingIsSaidWhereThePolicyCannotBeLookedUp) {
  ASSERT_EQ(::symlink("tlshosts", folder_.path("tlshosts").c_str()), 0);
  const Outcome outcome = deliver(willing);
  EXPECT_EQ(outcome.reports, "ZTLS unable to look for " + folder_.path("tlshosts/mx.test.pem") +
                                 ": Too many levels of symbolic links; connecting to "
                                 "192.0.2.1./\\0");
  EXPECT_EQ(outcome.then, Then::give_up);
  EXPECT_EQ(outcome.heard, "");
}

TEST_F(DeliveryTest, Port465AndNotlshosts) {
  server_.port = 465;
  folder_.write("notlshosts/mx.test", "");
  const Outcome outcome = deliver(willing);
  EXPECT_EQ(outcome.reports,
            "ZTLS forbidden by control/notlshosts/mx.test or control/tlshosts/exhaustivelist, but "
            "port 465 speaks nothing else; connecting to 192.0.2.1./\\0");
  EXPECT_EQ(outcome.heard, "");
  EXPECT_EQ(outcome.then, Then::give_up);
}

}  // namespace
}  // namespace qmail::remote

// A name server for tests: answers what it was told, over UDP and TCP, on a free loopback port, in
// a thread of its own.
//
// A zone is a list of lines "NAME TYPE VALUE": types A, AAAA, CNAME, MX (value "10
// mx.example.org.", or "0 ." for a null MX), SOA (its first name), TLSA ("3 1 1 0a0b"). An alias is
// followed, as a resolver does. Outcomes in place of a type:
//   "NAME = SERVFAIL" (REFUSED, NOTIMP, FORMERR)   for every question about NAME
//   "NAME = SILENT"     no answer at all
//   "NAME = SHORT"      an answer that ends before its records
//   "NAME = HEADER"     FORMERR without the question
//   "NAME = SECURE"     validated: the answer has AD if the question has, and all names on its way
//   "NAME = TRUNCATED"  truncated over UDP, whole over TCP
// "NAME TYPE = OUTCOME" limits it to one type, "*" as NAME is every name. Before OUTCOME may stand
// EDNS, TCP, UDP: only for questions of that kind ("* = EDNS TCP FORMERR"). A name without lines
// does not exist. Answers that do not fit into what the question allows are truncated.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "qmail/unique_fd.h"

namespace qmail::test {

class NameServer {
 public:
  enum class Family { v4, v6 };
  explicit NameServer(const std::vector<std::string>& zone, Family family = Family::v4);
  ~NameServer();
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;

  std::uint16_t port() const { return port_; }
  // "127.0.0.1:PORT", as DNSCACHEIP takes it.
  std::string address() const;
  // Questions asked so far, as "NAME TYPE"; those over TCP as "NAME TYPE TCP".
  int questions() const { return questions_; }
  int questions_with_edns() const { return questions_with_edns_; }
  int questions_about_security() const { return questions_about_security_; }
  int questions_by_tcp() const { return questions_by_tcp_; }

 private:
  struct Record {
    int type;
    std::string data;      // as on the wire, names uncompressed
    std::string target{};  // CNAME
  };
  struct Name {
    std::multimap<int, Record> records{};
    std::multimap<int, std::string> outcomes{};  // by type; 0: every type
  };
  void add(std::string_view line);
  std::string outcome_of(const Name& name, int type, bool edns, bool tcp) const;
  void serve();
  void serve_tcp(int client);
  std::string answer(std::string_view question, std::size_t limit, bool tcp);

  std::map<std::string, Name> names_;
  Family family_;
  UniqueFd udp_;
  UniqueFd tcp_;
  std::array<UniqueFd, 2> stop_;
  std::uint16_t port_ = 0;
  std::atomic<int> questions_ = 0;
  std::atomic<int> questions_with_edns_ = 0;
  std::atomic<int> questions_about_security_ = 0;
  std::atomic<int> questions_by_tcp_ = 0;
  std::thread thread_;
};

}  // namespace qmail::test

#include "name_server.h"

#include <arpa/nameser.h>
#include <cstring>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

#include "qmail/ascii.h"
#include "qmail/ip_address.h"

namespace qmail::test {

namespace {

constexpr int tlsa_type = 52;
constexpr unsigned authentic_data = 0x20;

int type_of(std::string_view text) {
  if (text == "A") return ns_t_a;
  if (text == "AAAA") return ns_t_aaaa;
  if (text == "CNAME") return ns_t_cname;
  if (text == "MX") return ns_t_mx;
  if (text == "SOA") return ns_t_soa;
  if (text == "TLSA") return tlsa_type;
  throw std::invalid_argument("record type " + std::string(text));
}

int rcode_of(std::string_view outcome) {
  if (outcome == "FORMERR") return ns_r_formerr;
  if (outcome == "SERVFAIL") return ns_r_servfail;
  if (outcome == "NOTIMP") return ns_r_notimpl;
  if (outcome == "REFUSED") return ns_r_refused;
  return ns_r_noerror;
}

std::string number16(unsigned number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number)};
}
unsigned number16(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes.at(at)) << 8 |
         static_cast<unsigned char>(bytes.at(at + 1));
}

std::string without_dot(std::string name) {
  if (!name.empty() && name.back() == '.') name.pop_back();
  return name;
}

std::string wire_name(const std::string& text) {
  std::string wire;
  std::string_view rest = text;
  while (!rest.empty() && rest != ".") {
    const std::string_view label = rest.substr(0, rest.find('.'));
    wire += static_cast<char>(label.size());
    wire += label;
    rest.remove_prefix(std::min(rest.size(), label.size() + 1));
  }
  return wire + '\0';
}

std::string word(std::string_view& rest) {
  const std::string_view found = rest.substr(0, rest.find(' '));
  rest.remove_prefix(std::min(rest.size(), found.size() + 1));
  return std::string(found);
}

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

}  // namespace

NameServer::NameServer(const std::vector<std::string>& zone, Family family) : family_(family) {
  for (const std::string& line : zone) add(line);
  const int domain = family == Family::v4 ? AF_INET : AF_INET6;
  for (int attempt = 0;; ++attempt) {  // until one port is free for both
    tcp_.reset(::socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0));
    udp_.reset(::socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    Address address{};
    if (family == Family::v4) {
      address.v4.sin_family = AF_INET;
      address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
      address.v6.sin6_family = AF_INET6;
      address.v6.sin6_addr = in6addr_loopback;
    }
    socklen_t length = family == Family::v4 ? sizeof address.v4 : sizeof address.v6;
    if (::bind(tcp_.get(), &address.any, length) == 0 && ::listen(tcp_.get(), 8) == 0 &&
        ::getsockname(tcp_.get(), &address.any, &length) == 0 &&
        ::bind(udp_.get(), &address.any, length) == 0) {
      port_ = ntohs(family == Family::v4 ? address.v4.sin_port : address.v6.sin6_port);
      break;
    }
    if (attempt == 20) throw std::runtime_error("no port for a name server");
  }
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::runtime_error("pipe");
  stop_[0].reset(ends[0]);
  stop_[1].reset(ends[1]);
  thread_ = std::thread([this] { serve(); });
}

NameServer::~NameServer() {
  stop_[1].reset();
  thread_.join();
}

std::string NameServer::address() const {
  return (family_ == Family::v4 ? "127.0.0.1:" : "[::1]:") + std::to_string(port_);
}

void NameServer::add(std::string_view line) {
  std::string_view rest = line;
  Name& name = names_[to_lower(without_dot(word(rest)))];
  std::string type = word(rest);
  if (type == "=") {
    name.outcomes.emplace(0, rest);
    return;
  }
  if (rest.starts_with("= ")) {
    name.outcomes.emplace(type_of(type), rest.substr(2));
    return;
  }
  Record record{type_of(type), "", ""};
  if (record.type == ns_t_mx) {
    record.data = number16(static_cast<unsigned>(std::stoul(word(rest))));
    record.data += wire_name(std::string(rest));
  } else if (record.type == ns_t_cname) {
    record.data = wire_name(std::string(rest));
    record.target = to_lower(without_dot(std::string(rest)));
  } else if (record.type == ns_t_soa) {
    record.data = wire_name(std::string(rest)) + wire_name(".") + std::string(20, '\0');
  } else if (record.type == tlsa_type) {
    for (int i = 0; i < 3; ++i) record.data += static_cast<char>(std::stoi(word(rest)));
    for (; !rest.empty(); rest.remove_prefix(2)) {
      record.data += static_cast<char>(std::stoi(std::string(rest.substr(0, 2)), nullptr, 16));
    }
  } else {
    record.data = parse_ip(rest).value().bytes();
  }
  name.records.emplace(record.type, record);
}

// The last one that fits the question, those for one type behind those for all; empty: none.
std::string NameServer::outcome_of(const Name& name, int type, bool edns, bool tcp) const {
  std::string chosen;
  for (const int key : {0, type}) {
    const auto [from, to] = name.outcomes.equal_range(key);
    for (auto one = from; one != to; ++one) {
      std::string_view rest = one->second;
      std::string outcome = word(rest);
      bool fits = true;
      for (; outcome == "EDNS" || outcome == "TCP" || outcome == "UDP"; outcome = word(rest)) {
        fits = fits && (outcome == "EDNS" ? edns : tcp == (outcome == "TCP"));
      }
      if (fits) chosen = outcome;
    }
  }
  return chosen;
}

std::string NameServer::answer(std::string_view question, std::size_t limit, bool tcp) {
  std::string name;
  std::size_t at = 12;
  while (question.at(at) != 0) {
    const auto length = static_cast<unsigned char>(question[at]);
    name += (name.empty() ? "" : ".") + std::string(question.substr(at + 1, length));
    at += length + 1U;
  }
  const int type = static_cast<int>(number16(question, at + 1));
  const std::size_t end = at + 5;
  ++questions_;
  if (tcp) ++questions_by_tcp_;
  // EDNS: one additional record of the root, type 41, whose class is the size that is welcome.
  const bool edns = question.size() >= end + 11 && number16(question, end + 1) == ns_t_opt;
  if (edns) ++questions_with_edns_;
  if (edns && !tcp) {
    limit = std::max<std::size_t>(limit, number16(question, end + 3));
  }

  std::string records;
  unsigned count = 0;
  unsigned rcode = ns_r_noerror;
  std::string owner = to_lower(name);
  bool truncate = false;
  bool secure = (static_cast<unsigned char>(question[3]) & authentic_data) != 0;
  if (secure) ++questions_about_security_;
  for (int step = 0; step < 12; ++step) {
    const auto found = names_.find(owner);
    if (found == names_.end()) {
      rcode = ns_r_nxdomain;
      secure = false;
      break;
    }
    const Name& node = found->second;
    std::string outcome = outcome_of(node, type, edns, tcp);
    if (outcome.empty() && names_.contains("*")) {
      outcome = outcome_of(names_.at("*"), type, edns, tcp);
    }
    secure = secure && outcome == "SECURE";
    if (outcome == "SILENT") return "";
    if (outcome == "HEADER")
      return std::string(question.substr(0, 2)) + "\x81\x81" + std::string(8, '\0');
    if (outcome == "SHORT") ++count;
    if (outcome == "TRUNCATED") truncate = !tcp;
    rcode = static_cast<unsigned>(rcode_of(outcome));
    if (rcode != ns_r_noerror || outcome == "SHORT") break;
    const auto alias = node.records.find(ns_t_cname);
    const bool follow = alias != node.records.end() && type != ns_t_cname;
    const auto [from, to] = node.records.equal_range(follow ? static_cast<int>(ns_t_cname) : type);
    for (auto record = from; record != to; ++record, ++count) {
      const std::string& data = record->second.data;
      records += wire_name(owner) + number16(static_cast<unsigned>(record->second.type)) +
                 number16(ns_c_in) + number16(0) + number16(60) +
                 number16(static_cast<unsigned>(data.size())) + data;
    }
    if (!follow) break;
    owner = alias->second.target;
  }
  if (truncate || (!tcp && end + records.size() > limit)) {
    truncate = true;
    records.clear();
    count = 0;
  }
  std::string reply(question.substr(0, 2));
  reply += number16(0x8180U | (truncate ? 0x0200U : 0U) | (secure ? authentic_data : 0U) | rcode);
  reply += number16(1) + number16(count) + number16(0) + number16(0);
  reply += question.substr(12, end - 12);
  return reply + records;
}

void NameServer::serve() {
  for (;;) {
    std::array<pollfd, 3> fds{pollfd{stop_[0].get(), POLLIN, 0}, pollfd{udp_.get(), POLLIN, 0},
                              pollfd{tcp_.get(), POLLIN, 0}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;
    if (fds[0].revents != 0) return;
    if (fds[1].revents != 0) {
      std::array<char, 4096> buffer{};
      Address peer{};
      socklen_t length = sizeof peer;
      const ssize_t got =
          ::recvfrom(udp_.get(), buffer.data(), buffer.size(), 0, &peer.any, &length);
      if (got < 17) continue;
      const std::string reply = answer({buffer.data(), static_cast<std::size_t>(got)}, 512, false);
      if (!reply.empty()) ::sendto(udp_.get(), reply.data(), reply.size(), 0, &peer.any, length);
    }
    if (fds[2].revents != 0) {
      const UniqueFd client(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (client) serve_tcp(client.get());
    }
  }
}

// One question; the resolver asks no more over one connection.
void NameServer::serve_tcp(int client) {
  std::string question;
  while (question.size() < 2 || question.size() < 2 + number16(question, 0)) {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(client, buffer.data(), buffer.size());
    if (got <= 0) return;
    question.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const std::string reply = answer(std::string_view(question).substr(2), 65535, true);
  const std::string framed = number16(static_cast<unsigned>(reply.size())) + reply;
  if (!reply.empty()) ::send(client, framed.data(), framed.size(), MSG_NOSIGNAL);
}

}  // namespace qmail::test

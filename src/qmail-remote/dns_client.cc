#include "qmail-remote/dns_client.h"

#include <arpa/nameser.h>
#include <cstdlib>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include "qmail/ascii.h"
#include "qmail/buffer.h"
#include "qmail/environment.h"

namespace qmail::remote {

namespace {

constexpr int tlsa_type = 52;                  // older headers do not name it
constexpr std::size_t longest_answer = 65535;  // what DNS over TCP can carry

// The resolver takes an IPv4 server from its public list, an IPv6 server only from the extension
// behind it, where resolv.conf's end up too; it frees what is put there.
bool use_server(struct __res_state& state, const NameServer& server) {
  state.nscount = 1;
  if (server.address.family() == IpAddress::Family::v4) {
    sockaddr_in& to = state.nsaddr_list[0];
    to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(server.port);
    std::memcpy(&to.sin_addr, server.address.bytes().data(), sizeof to.sin_addr);
    return true;
  }
  auto& extension = state._u._ext;
  if (extension.nsaddrs[0] == nullptr) {
    // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): res_nclose() calls free()
    extension.nsaddrs[0] = static_cast<sockaddr_in6*>(std::malloc(sizeof(sockaddr_in6)));
    if (extension.nsaddrs[0] == nullptr) return false;
  }
  sockaddr_in6& to = *extension.nsaddrs[0];
  to = {};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(server.port);
  std::memcpy(&to.sin6_addr, server.address.bytes().data(), sizeof to.sin6_addr);
  state.nsaddr_list[0].sin_family = 0;
  extension.nssocks[0] = -1;
  extension.nscount = 1;
  return true;
}

bool all_loopback(const struct __res_state& state) {
  for (int i = 0; i < state.nscount; ++i) {
    const auto* v4 = reinterpret_cast<const sockaddr*>(&state.nsaddr_list[i]);
    const auto* v6 = reinterpret_cast<const sockaddr*>(state._u._ext.nsaddrs[i]);
    const auto address = IpAddress::of(v4->sa_family == AF_INET ? v4 : v6);
    if (!address || !address->is_loopback()) return false;
  }
  return state.nscount > 0;
}

}  // namespace

std::optional<NameServer> parse_name_server(std::string_view text) {
  if (const auto address = parse_ip(text)) return NameServer{*address};
  if (const auto address = parse_ip_literal(text)) return NameServer{*address};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const auto bracketed = parse_ip_literal(host);
  const auto address = bracketed ? bracketed : parse_ip(host);
  const auto port = leading_number(digits);
  if (!address || !port || digits.size() > 5 || *port < 1 || *port > 65535) return std::nullopt;
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return NameServer{*address, static_cast<std::uint16_t>(*port)};
}

std::optional<NameServer> name_server_of_environment() {
  const auto text = environment_variable("DNSCACHEIP");
  return text ? parse_name_server(*text) : std::nullopt;
}

void DnsClient::CloseState::operator()(struct __res_state* state) const {
  ::res_nclose(state);
  delete state;
}

void DnsClient::ask_for_security() {
  wants_security_ = true;
  if (state_) choose_whom_to_believe();
}

void DnsClient::choose_whom_to_believe() {
  const bool told_to = !server_ && (state_->options & RES_TRUSTAD) != 0;
  believes_ = told_to || all_loopback(*state_);
  if (believes_) state_->options |= RES_TRUSTAD;
}

bool DnsClient::open() {
  if (state_) return true;
  auto fresh = std::make_unique<struct __res_state>();
  std::memset(fresh.get(), 0, sizeof *fresh);
  if (::res_ninit(fresh.get()) != 0) return false;
  state_.reset(fresh.release());
  if (server_ && !use_server(*state_, *server_)) {
    state_.reset();
    return false;
  }
  if (wants_security_) choose_whom_to_believe();
  answer_ = make_buffer<unsigned char>(longest_answer);
  return true;
}

DnsClient::Reaction DnsClient::ask(const std::string& name, int type) {
  HEADER header{};
  std::memcpy(answer_.get(), &header, sizeof header);  // no trace of the answer before this one
  // Nor of what it meant: for want of memory glibc returns without a word about this question.
  state_->res_h_errno = NETDB_INTERNAL;
  const int length = ::res_nquery(state_.get(), name.c_str(), ns_c_in, type, answer_.get(),
                                  static_cast<int>(longest_answer));
  if (length >= 0) {
    answer_length_ = static_cast<std::size_t>(length);
    return answer_length_ <= longest_answer ? Reaction::answer : Reaction::trouble;
  }
  std::memcpy(&header, answer_.get(), sizeof header);
  switch (state_->res_h_errno) {
    case HOST_NOT_FOUND:
    case NO_DATA:
      return Reaction::nothing;
    case NO_RECOVERY:
      if (header.qr == 0) return Reaction::not_to_ask;
      if (header.rcode == ns_r_formerr) return Reaction::not_understood;
      return Reaction::trouble;
    default:
      return header.qr == 0 ? Reaction::silence : Reaction::trouble;
  }
}

template <typename Record, typename Parse>
DnsClient::Outcome<Record> DnsClient::records(const std::string& name, int type, Parse parse) {
  if (!open()) return Failure(DnsFailure::temporary);
  bool silent_to_edns = false;
  for (bool edns = with_edns_;; edns = false) {
    if (edns) {
      state_->options |= RES_USE_EDNS0;
    } else {
      state_->options &= ~static_cast<decltype(state_->options)>(RES_USE_EDNS0);
    }
    const Reaction reaction = ask(name, type);
    if (reaction == Reaction::answer) {
      auto found = parse(DnsMessage(answer_.get(), answer_length_));
      if (found) {
        if (silent_to_edns) with_edns_ = false;
        if (found->empty()) return Failure(DnsFailure::none);
        return answer_with(name, std::move(*found));
      }
    }
    if (reaction == Reaction::nothing) return Failure(DnsFailure::none);
    if (edns) {
      silent_to_edns = reaction == Reaction::silence;
      continue;
    }
    // What was not understood in the plainest form will not be so later.
    const bool for_good = reaction == Reaction::not_to_ask ||
                          (reaction == Reaction::not_understood && type != tlsa_type);
    return Failure(for_good ? DnsFailure::none : DnsFailure::temporary);
  }
}

template <typename Record>
DnsClient::Outcome<Record> DnsClient::answer_with(const std::string& name,
                                                  std::vector<Record> records) const {
  Answer<Record> answer{std::move(records)};
  if (!wants_security_) return answer;
  const DnsMessage message(answer_.get(), answer_length_);
  auto canonical = end_of_aliases(message, name);
  if (!canonical) return Failure(DnsFailure::temporary);
  answer.canonical = std::move(*canonical);
  answer.secure = believes_ && validated(message);
  return answer;
}

DnsClient::Outcome<IpAddress> DnsClient::v4_addresses(const std::string& name) {
  return records<IpAddress>(name, ns_t_a, v4_addresses_in);
}

DnsClient::Outcome<IpAddress> DnsClient::v6_addresses(const std::string& name) {
  return records<IpAddress>(name, ns_t_aaaa, v6_addresses_in);
}

DnsClient::Outcome<MxRecord> DnsClient::exchangers(const std::string& name) {
  return records<MxRecord>(name, ns_t_mx, exchangers_in);
}

DnsClient::Outcome<std::string> DnsClient::alias(const std::string& name) {
  return records<std::string>(name, ns_t_cname, aliases_in);
}

DnsClient::Outcome<TlsaRecord> DnsClient::tlsa(const std::string& name) {
  return records<TlsaRecord>(name, tlsa_type, tlsa_in);
}

DnsClient::Outcome<std::string> DnsClient::origin(const std::string& name) {
  return records<std::string>(name, ns_t_soa, origins_in);
}

}  // namespace qmail::remote

#include "qmail-remote/dns_answer.h"

#include <algorithm>
#include <arpa/nameser.h>
#include <array>
#include <cstddef>
#include <resolv.h>
#include <utility>

#include "qmail/ascii.h"

namespace qmail::remote {

namespace {

// A position in the message from which numbers and names are read; once something was not there,
// good() is false and stays so.
class Cursor {
 public:
  explicit Cursor(DnsMessage message) : message_(message) {}

  bool good() const { return good_; }
  std::size_t position() const { return position_; }
  void skip(std::size_t count) {
    if (message_.size() - position_ < count) good_ = false;
    if (good_) position_ += count;
  }
  std::uint16_t number16() {
    const std::size_t at = position_;
    skip(2);
    return good_ ? static_cast<std::uint16_t>(message_[at] << 8 | message_[at + 1]) : 0;
  }
  // A name, decompressed; backslashes before its odd characters (dn_expand(3)).
  std::string name() {
    std::array<char, NS_MAXDNAME> text{};
    const unsigned char* begin = message_.data();
    const int length = good_ ? ::dn_expand(begin, begin + message_.size(), begin + position_,
                                           text.data(), static_cast<int>(text.size()))
                             : -1;
    if (length < 0) good_ = false;
    if (!good_) return {};
    skip(static_cast<std::size_t>(length));
    return text.data();
  }

 private:
  DnsMessage message_;
  std::size_t position_ = 0;
  bool good_ = true;
};

// Calls `take` with the owner, a cursor at the data, and the data's length, for each record of
// `type`. False: not well formed.
template <typename Take>
bool for_each_owned_record(DnsMessage message, std::uint16_t type, Take take) {
  Cursor cursor(message);
  cursor.skip(4);  // identity, flags
  const std::uint16_t questions = cursor.number16();
  const std::uint16_t answers = cursor.number16();
  cursor.skip(4);  // the other sections' counts
  for (unsigned i = 0; i < questions && cursor.good(); ++i) {
    cursor.name();
    cursor.skip(4);  // type, class
  }
  for (unsigned i = 0; i < answers && cursor.good(); ++i) {
    const std::string owner = cursor.name();
    const std::uint16_t its_type = cursor.number16();
    const std::uint16_t its_class = cursor.number16();
    cursor.skip(4);  // time to live
    const std::uint16_t length = cursor.number16();
    Cursor data = cursor;
    cursor.skip(length);
    if (!cursor.good()) break;
    if (its_type == type && its_class == ns_c_in && !take(owner, data, length)) return false;
  }
  return cursor.good();
}

// The same for whom the owner does not matter.
template <typename Take>
bool for_each_record(DnsMessage message, std::uint16_t type, Take take) {
  return for_each_owned_record(
      message, type, [&](const std::string& /*owner*/, const Cursor& data, std::size_t length) {
        return take(data, length);
      });
}

std::string text_at(DnsMessage message, std::size_t position, std::size_t length) {
  const auto bytes = message.subspan(position, length);
  return {bytes.begin(), bytes.end()};
}

template <std::size_t size, typename Make>
std::optional<std::vector<IpAddress>> addresses_in(DnsMessage message, std::uint16_t type,
                                                   Make make) {
  std::vector<IpAddress> found;
  const bool good = for_each_record(message, type, [&](const Cursor& data, std::size_t length) {
    if (length != size) return false;
    std::array<std::uint8_t, size> bytes{};
    std::copy_n(message.begin() + static_cast<std::ptrdiff_t>(data.position()), size,
                bytes.begin());
    found.push_back(make(bytes));
    return true;
  });
  if (!good) return std::nullopt;
  return found;
}

}  // namespace

std::optional<std::vector<IpAddress>> v4_addresses_in(DnsMessage message) {
  return addresses_in<4>(message, ns_t_a, IpAddress::v4);
}

std::optional<std::vector<IpAddress>> v6_addresses_in(DnsMessage message) {
  return addresses_in<16>(message, ns_t_aaaa, IpAddress::v6);
}

std::optional<std::vector<MxRecord>> exchangers_in(DnsMessage message) {
  std::vector<MxRecord> found;
  const bool good = for_each_record(message, ns_t_mx, [&](Cursor data, std::size_t length) {
    const std::size_t end = data.position() + length;
    const std::uint16_t preference = data.number16();
    found.push_back({preference, data.name()});
    return data.good() && data.position() == end;
  });
  if (!good) return std::nullopt;
  return found;
}

std::optional<std::vector<std::string>> aliases_in(DnsMessage message) {
  std::vector<std::string> found;
  const bool good = for_each_record(message, ns_t_cname, [&](Cursor data, std::size_t length) {
    const std::size_t end = data.position() + length;
    found.push_back(data.name());
    return data.good() && data.position() == end;
  });
  if (!good) return std::nullopt;
  return found;
}

std::optional<std::vector<std::string>> origins_in(DnsMessage message) {
  std::vector<std::string> found;
  const bool good = for_each_record(message, ns_t_soa, [&](Cursor data, std::size_t length) {
    const std::size_t end = data.position() + length;
    found.push_back(data.name());
    return data.good() && data.position() <= end;
  });
  if (!good) return std::nullopt;
  return found;
}

std::optional<std::vector<TlsaRecord>> tlsa_in(DnsMessage message) {
  constexpr std::uint16_t tlsa = 52;  // older headers do not name it
  constexpr std::size_t head = 3;
  std::vector<TlsaRecord> found;
  const bool good = for_each_record(message, tlsa, [&](const Cursor& data, std::size_t length) {
    if (length < head) return false;
    const auto bytes = message.subspan(data.position(), length);
    found.push_back(
        {bytes[0], bytes[1], bytes[2], text_at(message, data.position() + head, length - head)});
    return true;
  });
  if (!good) return std::nullopt;
  return found;
}

bool validated(DnsMessage message) {
  constexpr unsigned char authentic_data = 0x20;
  return message.size() > 3 && (message[3] & authentic_data) != 0;
}

std::optional<std::string> end_of_aliases(DnsMessage message, std::string name) {
  std::vector<std::pair<std::string, std::string>> steps;
  const bool good = for_each_owned_record(
      message, ns_t_cname, [&](const std::string& owner, Cursor data, std::size_t length) {
        const std::size_t end = data.position() + length;
        steps.emplace_back(owner, data.name());
        return data.good() && data.position() == end;
      });
  if (!good) return std::nullopt;
  // Each step is taken once at most: a loop ends.
  for (std::size_t taken = 0; taken < steps.size(); ++taken) {
    const auto step = std::find_if(steps.begin(), steps.end(), [&](const auto& one) {
      return equal_ignoring_case(one.first, name);
    });
    if (step == steps.end()) break;
    name = step->second;
  }
  return name;
}

}  // namespace qmail::remote

#include "tls/usual_pair.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace qmail::tls {

namespace {

using namespace std::string_view_literals;

// The identifier octets of X.690.
enum class Tag : unsigned char {
  integer = 0x02,
  bit_string = 0x03,
  octet_string = 0x04,
  sequence = 0x30,
  first_of_context = 0xa0,
  second_of_context = 0xa1,
};

// Reads element by element. One that is not what it should be, or longer than what is there, is
// empty, and so is every one behind it.
class Der {
 public:
  explicit Der(std::string_view bytes) : rest_(bytes) {}

  bool is_next(Tag tag) const {
    return !rest_.empty() &&
           static_cast<unsigned char>(rest_[0]) == static_cast<unsigned char>(tag);
  }
  // The content of the next element.
  std::string_view take(Tag tag) {
    std::size_t header = 2;
    std::size_t size = 0;
    if (is_next(tag) && rest_.size() >= header) {
      size = static_cast<unsigned char>(rest_[1]);
      if (size > 0x80) {  // the number of bytes that hold the length
        header += size - 0x80;
        size =
            header <= longest_header && header <= rest_.size() ? number(2, header) : rest_.size();
      }
      if (header <= rest_.size() && size <= rest_.size() - header) {
        const std::string_view content = rest_.substr(header, size);
        rest_.remove_prefix(header + size);
        return content;
      }
    }
    rest_ = {};
    return {};
  }
  std::string_view rest() const { return rest_; }

 private:
  static constexpr std::size_t longest_header = 5;  // of 16 MB

  std::size_t number(std::size_t begin, std::size_t end) const {
    std::size_t value = 0;
    for (; begin < end; ++begin) value = value << 8 | static_cast<unsigned char>(rest_[begin]);
    return value;
  }

  std::string_view rest_;
};

// Object identifiers, with what stands behind them: NULL, or the curve's own.
constexpr std::string_view rsa = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"sv;
constexpr std::string_view elliptic = "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"sv;
constexpr std::array curves{
    "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"sv,  // P-256
    "\x06\x05\x2b\x81\x04\x00\x22"sv,              // P-384
    "\x06\x05\x2b\x81\x04\x00\x23"sv,              // P-521
};
constexpr std::array signatures{
    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00"sv,  // RSA with SHA-256
    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c\x05\x00"sv,  // SHA-384
    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d\x05\x00"sv,  // SHA-512
    "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"sv,              // ECDSA with SHA-256
    "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"sv,
    "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04"sv,
};

template <std::size_t n>
bool is_one_of(const std::array<std::string_view, n>& all, std::string_view bytes) {
  return std::find(all.begin(), all.end(), bytes) != all.end();
}

struct PublicKey {
  std::string_view algorithm{};  // with the curve
  // RSA: modulus and exponent, as elements; a curve: the point, behind the number of unused bits.
  // Empty: not of the usual kinds.
  std::string_view key{};

  std::string_view curve() const {
    return algorithm.starts_with(elliptic) ? algorithm.substr(elliptic.size()) : std::string_view();
  }
};

PublicKey public_key(std::string_view subject_public_key_info) {
  Der info(subject_public_key_info);
  PublicKey found{info.take(Tag::sequence)};
  const std::string_view bits = info.take(Tag::bit_string);
  if (is_one_of(curves, found.curve())) {
    found.key = bits;
  } else if (found.algorithm == rsa && bits.starts_with('\0')) {
    constexpr std::size_t least = 2048 / 8 + 1;  // the first byte is 0: the number has a sign
    const std::string_view numbers = Der(bits.substr(1)).take(Tag::sequence);
    if (Der(numbers).take(Tag::integer).size() >= least) found.key = numbers;
  }
  return found;
}

// The key of the certificate; an empty one where anything about it is not usual.
PublicKey usual_key_of(std::string_view certificate) {
  Der file(certificate);
  Der parts(file.take(Tag::sequence));
  if (!file.rest().empty()) return {};  // a trusted certificate of OpenSSL's own form
  Der signed_part(parts.take(Tag::sequence));
  if (signed_part.is_next(Tag::first_of_context)) signed_part.take(Tag::first_of_context);
  signed_part.take(Tag::integer);  // the serial number
  const std::string_view signature = signed_part.take(Tag::sequence);
  if (parts.take(Tag::sequence) != signature) return {};
  const std::string_view issuer = signed_part.take(Tag::sequence);
  signed_part.take(Tag::sequence);  // the dates
  const std::string_view subject = signed_part.take(Tag::sequence);
  // How a root has signed itself does not matter to OpenSSL.
  if (!is_one_of(signatures, signature) && issuer != subject) return {};
  return public_key(signed_part.take(Tag::sequence));
}

// RSAPrivateKey: version, modulus, exponent, …
bool has_rsa_half(std::string_view private_key, const PublicKey& half) {
  Der key(Der(private_key).take(Tag::sequence));
  key.take(Tag::integer);
  return key.rest().starts_with(half.key);
}

// ECPrivateKey: version, private key, [0] curve, [1] public key. `curve_known`: from outside.
bool has_curve_half(std::string_view private_key, const PublicKey& half, bool curve_known) {
  Der key(Der(private_key).take(Tag::sequence));
  key.take(Tag::integer);
  key.take(Tag::octet_string);
  if (key.is_next(Tag::first_of_context)) {
    curve_known = key.take(Tag::first_of_context) == half.curve();
    if (!curve_known) return false;
  }
  return curve_known && Der(key.take(Tag::second_of_context)).take(Tag::bit_string) == half.key;
}

bool has_half(const PemBlock& block, const PublicKey& half) {
  const std::string_view bytes = block.bytes();
  if (block.label == "RSA PRIVATE KEY") return half.algorithm == rsa && has_rsa_half(bytes, half);
  if (block.label == "EC PRIVATE KEY") return has_curve_half(bytes, half, false);
  if (block.label != "PRIVATE KEY") return false;
  Der wrapping(Der(bytes).take(Tag::sequence));
  wrapping.take(Tag::integer);
  if (wrapping.take(Tag::sequence) != half.algorithm) return false;
  const std::string_view key = wrapping.take(Tag::octet_string);
  return half.algorithm == rsa ? has_rsa_half(key, half) : has_curve_half(key, half, true);
}

}  // namespace

bool is_usual_pair(const PemFile& pem) {
  PublicKey first;
  const PemBlock* key = nullptr;
  for (const PemBlock& block : pem.blocks) {
    if (block.is_certificate()) {
      const PublicKey found = usual_key_of(block.bytes());
      if (found.key.empty()) return false;
      if (first.key.empty()) first = found;
    } else if (key == nullptr && block.is_usable_key()) {
      key = &block;
    }
  }
  return key != nullptr && !first.key.empty() && has_half(*key, first);
}

}  // namespace qmail::tls

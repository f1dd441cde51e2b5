#include "tls/server_names.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/stat.h>

#include "qmail/ascii.h"
#include "qmail/ip_address.h"

namespace qmail::tls {

namespace {

// The host name in the hello's extension (RFC 6066, section 3); empty when there is none.
std::string_view asked_for(SSL* ssl) {
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) != 1) return {};
  constexpr std::size_t header = 5;  // length of the list, kind of name, length of the name
  if (size < header || bytes[2] != TLSEXT_NAMETYPE_host_name) return {};
  const std::size_t length = static_cast<std::size_t>(bytes[3]) << 8 | bytes[4];
  if (length > size - header) return {};
  return {reinterpret_cast<const char*>(bytes) + header, length};
}

// What cannot be looked at is there: the complaint is about the file in it then.
bool is_there(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

std::optional<std::string> folder_for(const std::string& folder, const std::string& name) {
  std::string path = folder + "/" + name;
  if (is_there(path)) return path;
  const auto wildcard = wildcard_for(name);
  if (!wildcard) return std::nullopt;
  path = folder + "/" + *wildcard;
  if (is_there(path)) return path;
  return std::nullopt;
}

// OpenSSL has room for 32 bytes, so for a digest of what a ticket is good for.
void set_session_context(SSL* ssl, const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1 ||
      SSL_set_session_id_context(ssl, digest.data(), size) != 1) {
    SSL_set_options(ssl, SSL_OP_NO_TICKET);
  }
}

}  // namespace

std::optional<std::string> folder_name(std::string_view server_name) {
  constexpr std::size_t longest_name = 253;
  if (!server_name.empty() && server_name.back() == '.') server_name.remove_suffix(1);
  const auto fits = [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
  };
  if (server_name.empty() || server_name.size() > longest_name || server_name.front() == '.' ||
      server_name.back() == '.' || server_name.find("..") != std::string_view::npos ||
      !std::all_of(server_name.begin(), server_name.end(), fits) || parse_ip(server_name)) {
    return std::nullopt;
  }
  return to_lower(server_name);
}

std::optional<std::string> wildcard_for(std::string_view folder_name) {
  const std::size_t dot = folder_name.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view rest = folder_name.substr(dot);
  if (rest.find('.', 1) == std::string_view::npos) return std::nullopt;
  return std::string("*").append(rest);
}

std::optional<std::string> ServerNames::choose(SSL* ssl) const {
  const auto name = folder_name(asked_for(ssl));
  if (!name) return std::nullopt;
  auto path = folder_for(folder, *name);
  // Names that share a wildcard's certificate do not share tickets (RFC 6066, section 3).
  if (path) set_session_context(ssl, session_context + '\0' + *path + '\0' + *name);
  return path;
}

}  // namespace qmail::tls

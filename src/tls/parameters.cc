#include "tls/parameters.h"

#include <algorithm>
#include <string_view>

#include <openssl/err.h>

#include "qmail/ascii.h"
#include "tls/tls_error.h"

namespace qmail::tls {

namespace {

using Warnings = std::vector<Warning>;

std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(':'), list.size());
    if (end > 0) words.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return words;
}

TlsError nothing_left(const NameList& names, std::string_view what) {
  return {TlsError::Step::parameters, names.origin + " names no " + std::string(what),
          names.origin};
}

// Sets the list for TLS 1.2. If it names no cipher at all, none is left, and TLS 1.3 still works.
bool use_ciphers(SSL_CTX* context, const Ciphers& ciphers, Warnings& warnings) {
  // The context begins with the default; finding it again would cost a million instructions.
  if (ciphers.list == Ciphers().list) return true;
  if (SSL_CTX_set_cipher_list(context, ciphers.list.c_str()) == 1) return true;
  // A list with an error in it leaves the one before it in force; this leaves nothing.
  SSL_CTX_set_cipher_list(context, "-ALL");
  ERR_clear_error();
  warnings.push_back(no_cipher(ciphers));
  return false;
}

// OpenSSL puts the suites of TLS 1.3 before all else. (An unknown one is an error in some of its
// versions and skipped in others.)
bool is_suite(SSL_CTX* context, const std::string& name) {
  if (SSL_CTX_set_ciphersuites(context, name.c_str()) != 1) return false;
  const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(context);
  return sk_SSL_CIPHER_num(ciphers) > 0 &&
         SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, 0)) == name;
}

// False: none of them is one.
bool use_suites(SSL_CTX* context, const NameList& suites, Warnings& warnings) {
  if (suites.list.empty()) return true;
  std::string known;
  for (const std::string& name : words_of(suites.list)) {
    if (is_suite(context, name)) known.append(known.empty() ? "" : ":").append(name);
  }
  ERR_clear_error();
  const bool any = !known.empty() && SSL_CTX_set_ciphersuites(context, known.c_str()) == 1;
  if (!any) warnings.push_back({suites.origin, "names no cipher suite"});
  return any;
}

// Exactly the versions named; the error when none is, or when a word is none: who mistyped one
// version must not find all others spoken.
std::optional<TlsError> use_versions(SSL_CTX* context, const NameList& versions,
                                     Warnings& warnings) {
  int lowest = 0;
  int highest = 0;
  for (const std::string& word : words_of(versions.list)) {
    const auto is = [&](std::string_view name) { return equal_ignoring_case(word, name); };
    if (is("SSLv23")) return std::nullopt;  // as OpenSSL once called whatever both sides can
    if (is("TLSv1_2") || is("TLSv1_3")) {
      const int version = is("TLSv1_2") ? TLS1_2_VERSION : TLS1_3_VERSION;
      lowest = lowest == 0 ? version : std::min(lowest, version);
      highest = std::max(highest, version);
    } else if (is("TLSv1") || is("TLSv1_1") || is("SSLv3")) {
      warnings.push_back({versions.origin, word + " is no longer spoken"});
    } else {
      TlsError error = nothing_left(versions, "version");
      error.advice = word + " is none; there are TLSv1_2 and TLSv1_3";
      return error;
    }
  }
  if (lowest == 0) return nothing_left(versions, "version");
  static_cast<void>(SSL_CTX_set_min_proto_version(context, lowest));
  static_cast<void>(SSL_CTX_set_max_proto_version(context, highest));
  return std::nullopt;
}

bool is_left(SSL_CTX* context) {
  const auto highest = SSL_CTX_get_max_proto_version(context);
  return highest == 0 || highest >= SSL_CTX_get_min_proto_version(context);
}

}  // namespace

Result<Parameters, ControlError> read_parameters(const ControlDir& control,
                                                 const ParameterFiles& files,
                                                 const std::optional<Ciphers>& ciphers) {
  Parameters parameters;
  const auto read = [&](std::string_view name, auto& into) -> std::optional<ControlError> {
    auto list = control.colon_list(name);
    if (!list) return list.error();
    if (!*list) return std::nullopt;
    into.origin = control.file(name);
    if (!(*list)->empty()) into.list = std::move(**list);
    return std::nullopt;
  };
  if (ciphers) {
    parameters.ciphers.origin = ciphers->origin;
    if (!ciphers->list.empty()) parameters.ciphers.list = ciphers->list;
  } else if (auto error = read(files.ciphers, parameters.ciphers)) {
    return Failure(std::move(*error));
  }
  if (auto error = read(files.suites, parameters.suites)) return Failure(std::move(*error));
  if (auto error = read(files.versions, parameters.versions)) return Failure(std::move(*error));
  return parameters;
}

Result<Warnings, TlsError> use_parameters(SSL_CTX* context, const Parameters& parameters) {
  Warnings warnings;
  const NameList& versions = parameters.versions;
  if (!versions.list.empty()) {
    if (auto error = use_versions(context, versions, warnings)) return Failure(std::move(*error));
  }
  if (!is_left(context)) {
    return Failure(TlsError{TlsError::Step::context,
                            library_error(ERR_LIB_SSL, SSL_R_NO_PROTOCOLS_AVAILABLE), "openssl.cnf",
                            "MaxProtocol there is below TLS 1.2"});
  }
  const bool tls12_has_cipher = use_ciphers(context, parameters.ciphers, warnings);
  if (!use_suites(context, parameters.suites, warnings)) {
    static_cast<void>(SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION));
    if (!is_left(context) || !tls12_has_cipher) {
      return Failure(nothing_left(parameters.suites, "cipher suite"));
    }
  }
  if (!tls12_has_cipher && SSL_CTX_get_max_proto_version(context) == TLS1_2_VERSION) {
    return Failure(nothing_left({{}, parameters.ciphers.origin}, "cipher"));
  }
  return warnings;
}

Warning no_cipher(const Ciphers& ciphers) {
  return {ciphers.origin, "names no cipher, so TLS 1.2 will not work: " + ciphers.list};
}

}  // namespace qmail::tls

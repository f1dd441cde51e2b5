// The keys, certificates and revocation lists that the dialogues name with "@", made when asked
// for.
#pragma once

#include <string>
#include <string_view>

namespace qmail::smtpd {

// The PEM text of the words in `names`, one after the other ("@server @server-key"):
//   @ca                   the authority of everything below that is not said to be another's
//   @other-ca             another one
//   @server @server-key   RSA; the same with @ecdsa and @ed25519; @encrypted-key is @server-key
//   @stranger-key         an RSA key that is nobody's
//   @relay                a client: relay@client.example.org, with key; the same for
//   @other                other@client.example.org
//   @nameless             no mail address
//   @expired @revoked     relay@client.example.org
//   @untrusted            relay@client.example.org, of @other-ca
//   @crl                  revokes @revoked
//   @other-crl            of @other-ca, revokes nothing
//   @dh                   2048 bits of DH parameters
std::string pem(std::string_view names);

}  // namespace qmail::smtpd

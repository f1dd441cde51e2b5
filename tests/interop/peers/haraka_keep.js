// A Haraka plugin: takes every recipient, prints one JSON line a message to the file that $HARAKA_OUT names.
const fs = require('fs');
// On port 465 Haraka wants authentication of whoever does not relay; what relays is not given to hook_queue.
exports.hook_ehlo = (next, connection) => { connection.relaying = true; next(); };
exports.hook_mail = (next, connection) => { connection.relaying = false; next(); };
exports.hook_rcpt = next => next(OK);
// (So does who has logged in.)
exports.hook_queue = (next, connection) => {
  connection.transaction.message_stream.get_data(data => {
    const tls = connection.tls;
    // After STARTTLS Haraka does not look at the verdict of its TLS library: the certificate must do.
    const shown = tls.peerCertificate && tls.peerCertificate.subject && tls.peerCertificate.subject.CN === 'alice';
    fs.appendFileSync(process.env.HARAKA_OUT, JSON.stringify({
      version: tls.cipher ? tls.cipher.version : '', certificate: !!(tls.verified || shown), login: !!connection.notes.auth_user, data: data.toString('base64')}) + '\n');
    next(OK, 'kept');
  });
};

// node smtp_server.js MODULES IP PORT PEM CA [USER PASSWORD MECHANISM]: npm's smtp-server, STARTTLS on PORT, implicit TLS
// on 465, certificates asked for; one JSON line a message. With USER, one has to log in.
const [, , modules, ip, port, pem, ca, user, password, mechanism] = process.argv;
const {SMTPServer} = require(modules + '/smtp-server');
const fs = require('fs');
for (const [where, secure] of [[+port, false], [465, true]]) {
  const options = {
    secure, key: fs.readFileSync(pem), cert: fs.readFileSync(pem), ca: [fs.readFileSync(ca)],
    authOptional: !user, authMethods: [mechanism || 'PLAIN'], requestCert: true, rejectUnauthorized: false, disableReverseLookup: true,
    onSecure(socket, session, done) {
      session.version = socket.getProtocol();
      session.certificate = socket.authorized;
      done();
    },
    onAuth(auth, session, done) {
      const good = auth.username === user && (auth.method === 'CRAM-MD5' ? auth.validatePassword(password) : auth.password === password);
      done(good ? null : new Error('wrong'), good ? {user} : undefined);
    },
    onData(stream, session, done) {
      const parts = [];
      stream.on('data', part => parts.push(part));
      stream.on('end', () => {
        console.log(JSON.stringify({version: session.version || '', certificate: !!session.certificate, login: !!session.user,
                                    data: Buffer.concat(parts).toString('base64')}));
        done(null, 'kept');
      });
    },
  };
  new SMTPServer(options).on('error', e => console.error(e.message)).listen(where, ip);
}

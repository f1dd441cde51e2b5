// node nodemailer.js MODULES JSON: sends one message with nodemailer; JSON is written by nodemailer.py.
const [, , modules, json] = process.argv;
const nodemailer = require(modules + '/nodemailer');
const fs = require('fs');
const want = JSON.parse(json);
const tls = {ca: fs.readFileSync(want.ca), servername: want.name, minVersion: want.version, maxVersion: want.version};
if (want.pem) tls.cert = tls.key = fs.readFileSync(want.pem);
nodemailer
  .createTransport({host: want.ip, port: want.port, secure: want.implicit, requireTLS: !want.implicit, tls,
                    auth: want.login && {user: want.login.user, pass: want.login.password},
                    authMethod: want.login ? want.login.mechanism.toUpperCase() : undefined, name: 'client.example.test', connectionTimeout: 15000, greetingTimeout: 15000, socketTimeout: 15000})
  .sendMail({envelope: {from: want.sender, to: want.recipient}, raw: fs.readFileSync(want.file)})
  .then(done => console.log('sent', done.response),
        error => { console.log('failed', error.code, error.response || error.message); process.exit(1); });

// Run by mongosh beside each member, from a ConfigMap, until it ends well; safe to run again.
//
// Until a user exists MongoDB lets whoever comes from its own machine initiate the set and make the first user.
// Source: MongoDB "Deploy Self-Managed Replica Set With Keyfile Authentication" and "Localhost Exception", read 2026-11.
const user = process.env.DOCUMENTS_USER;
const password = process.env.DOCUMENTS_PASSWORD;
const hosts = process.env.DOCUMENTS_HOSTS.split(",");
const first = process.env.HOSTNAME.endsWith("-0");
const admin = db.getSiblingDB("admin");

function known() {
  try {
    return admin.auth(user, password).ok === 1;
  } catch (error) {
    return false;
  }
}

function named() {
  // A member that lost its volume is told of its set by the others within seconds: it must not found another one.
  for (let i = 0; i < 15 && !db.hello().setName; i++) sleep(2000);
  return Boolean(db.hello().setName);
}

if (known()) {
  print("the set is initiated and its user exists");
} else {
  if (!named()) {
    if (!first) throw new Error("the set is not initiated yet: its first member does that");
    const members = hosts.map((host, index) => ({ _id: index, host }));
    const done = rs.initiate({ _id: process.env.DOCUMENTS_REPLICA_SET, members });
    if (done.ok !== 1) throw new Error(`the set cannot be initiated: ${done.errmsg}`);
  }
  for (let i = 0; i < 60 && !db.hello().isWritablePrimary && !known(); i++) sleep(1000);
  if (db.hello().isWritablePrimary) {
    admin.createUser({ user, pwd: password, roles: ["root"] });
    print("the first user is made");
  } else if (known()) {
    print("the set is initiated and its user exists");
  } else {
    throw new Error("no primary yet that knows the user");
  }
}

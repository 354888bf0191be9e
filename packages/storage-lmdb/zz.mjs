import { open } from "lmdb";
import { mkdtempSync } from "node:fs";
const root = open({ path: mkdtempSync("/tmp/lmx-"), noSubdir: false, overlappingSync: false, maxDbs: 16, keyEncoding: "binary", encoding: "binary", mapSize: 2**30 });
const db = root.openDB({ name: "raft", keyEncoding: "binary", encoding: "binary" });
let n = 0, missing = 0; const t0 = Date.now();
const hb = setInterval(() => console.log(n, missing), 2000);
while (Date.now() - t0 < 25000) {
  const k = Buffer.from("k" + n), v = Buffer.alloc(300, n & 255);
  if (n % 2) { await db.batch(() => { db.put(k, v); }); }
  else { db.transactionSync(() => { db.put(k, v); }); if (n % 3 === 0) await new Promise(r => setImmediate(r)); }
  const r = db.getBinary(k); if (!r || r[0] !== (n & 255)) missing++;
  n++;
}
clearInterval(hb); console.log("done", n, missing); await root.close();

// A central system that is not ours: the npm package `ocpp-rpc`, in strict mode. JSON lines go in and out.
//
// Out: {kind: "listening", port}, {kind: "connected" | "closed", identity}, {kind: "call", identity, method, params},
// {kind: "violation", identity, method, ours, reason}, {kind: "bad", identity, reason},
// {kind: "result" | "error", number, …}. In: {number, identity, method, params}. It ends with its input.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// The packages are not beside this file.
const require = createRequire(`${process.argv[2]}/`);
const { RPCServer, createValidator } = require("ocpp-rpc");

// The package warns of what it finds odd in the official schemas.
console.warn = () => {};

const now = () => new Date().toISOString();
let transactions = 100;

const ANSWERS = {
  BootNotification: () => ({ currentTime: now(), interval: 1, status: "Accepted" }),
  DataTransfer: () => ({ status: "Accepted" }),
  Get15118EVCertificate: () => ({ status: "Accepted", exiResponse: "ZXhp" }),
  GetCertificateStatus: () => ({ status: "Failed" }),
  GetCertificateChainStatus: ({ certificateStatusRequests: [{ certificateHashData, source }] }) => ({
    certificateStatus: [{ certificateHashData, source, status: "Unknown", nextUpdate: now() }],
  }),
  Heartbeat: () => ({ currentTime: now() }),
  NotifyEVChargingNeeds: () => ({ status: "Accepted" }),
  NotifyEVChargingSchedule: () => ({ status: "Accepted" }),
  // The package does not know the SEND messages that would follow.
  OpenPeriodicEventStream: () => ({ status: "Rejected" }),
  PullDynamicScheduleUpdate: () => ({ status: "Rejected" }),
  SignCertificate: () => ({ status: "Accepted" }),
};
const ANSWERS_1_6 = {
  Authorize: () => ({ idTagInfo: { status: "Accepted" } }),
  StartTransaction: () => ({ transactionId: (transactions += 1), idTagInfo: { status: "Accepted" } }),
};
const ANSWERS_2 = {
  Authorize: () => ({ idTokenInfo: { status: "Accepted" } }),
  VatNumberValidation: ({ vatNumber }) => ({ status: "Rejected", vatNumber }),
};

function say(kind, fields) {
  process.stdout.write(`${JSON.stringify({ kind, ...fields })}\n`);
}

// What the package looks for is `urn:Action.req` and `urn:Action.conf`; its schemas of 2.1 have other names.
function schemasOf21() {
  const named = (id) => id.replace(/Request$/, ".req").replace(/Response$/, ".conf");
  return require("ocpp-rpc/lib/schemas/ocpp2_1.json").map((schema) => ({ ...schema, $id: named(schema.$id) }));
}

function serve(client) {
  const identity = client.identity;
  const answers = client.protocol === "ocpp1.6" ? ANSWERS_1_6 : ANSWERS_2;
  client.handle(({ method, params }) => {
    say("call", { identity, method, params });
    const answer = answers[method] ?? ANSWERS[method];
    return answer ? answer(params) : {};
  });
  // A call that fails its schema is refused before anybody handles it.
  client.on("strictValidationFailure", ({ method, outbound, error }) =>
    say("violation", { identity, method, ours: outbound, reason: error.message }),
  );
  client.on("badMessage", ({ error }) => say("bad", { identity, reason: error.message }));
  client.on("disconnect", () => say("closed", { identity }));
  clients.set(identity, client);
  say("connected", { identity });
}

async function ask({ number, identity, method, params }) {
  try {
    say("result", { number, result: await clients.get(identity).call(method, params) });
  } catch (error) {
    say("error", { number, code: error.rpcErrorCode ?? error.name, reason: error.message });
  }
}

const clients = new Map();
const server = new RPCServer({
  protocols: ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"],
  strictMode: true,
  strictModeValidators: [createValidator("ocpp2.1", schemasOf21())],
});
server.on("client", serve);
createInterface({ input: process.stdin })
  .on("line", (line) => ask(JSON.parse(line)))
  .on("close", () => process.exit(0));
const listening = await server.listen(0, "127.0.0.1");
say("listening", { port: listening.address().port });

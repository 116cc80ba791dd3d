import {
  anonymousClient,
  Connection,
  type ConnectionEnd,
  type ConnectionEvents,
  type ConnectionSettings,
  createSaslServer,
  plainClient,
  QUIET_EVENTS,
} from "@datawire/amqp";
import { expect, test } from "vitest";
import { type Login, tellingOfLogin } from "./login.ts";

const nothing = (): void => {};
const events = (closed: (end: ConnectionEnd) => void, opened: () => void = nothing): ConnectionEvents => ({
  ...QUIET_EVENTS,
  opened,
  closed,
});

/** How a client's connection to a router ends that lets in bob alone, and closes with that as soon as he is there. */
function endOf(login: Login, clients: Partial<ConnectionSettings>): string | undefined {
  let end: ConnectionEnd | undefined;
  const saslServer = createSaslServer({
    plain: (user, password, answer) => answer(password === "right" ? user : null),
  });
  const router: Connection = new Connection(
    { role: "server", open: { containerId: "router" }, saslServer, saslRequired: true },
    events(nothing, () => router.close({ condition: "amqp:unauthorized-access", description: "It was revoked" })),
    0,
  );
  const told = tellingOfLogin(
    events((given) => (end = given)),
    login,
  );
  const client = new Connection(
    { role: "client", open: { containerId: "client" }, ...clients },
    { ...told, outputReady: nothing },
    0,
  );
  client.start();
  for (let i = 0; i < 10; i++) {
    router.receive(client.takeOutput(0) ?? new Uint8Array(0), 0);
    client.receive(router.takeOutput(0) ?? new Uint8Array(0), 0);
  }
  return end?.error?.description;
}

const router = "amqp://vm101:5672";
const plain = (password: string) => ({ saslClients: [plainClient("bob", password), anonymousClient()] });
test.each<[string, Login, Partial<ConnectionSettings>, string]>([
  [
    "nothing was given",
    { router, proof: null, wanted: "the option token, or a password" },
    {},
    "Cannot authenticate at amqp://vm101:5672: the router wants a login and got none, wanted the option token, or a password",
  ],
  [
    "a token is not known",
    { router, proof: "token", wanted: "" },
    plain("wrong"),
    "Cannot authenticate at amqp://vm101:5672: the router refused the token, wanted one of its directory with the role client that is not revoked",
  ],
  [
    "a password is wrong",
    { router, proof: "password", wanted: "" },
    plain("wrong"),
    "Cannot authenticate at amqp://vm101:5672: the router refused the user and password of the url",
  ],
  ["the router says why later", { router, proof: "token", wanted: "" }, plain("right"), "It was revoked"],
])("tellingOfLogin() says what was refused, where, and what to give: %s", (_, login, clients, text) => {
  expect(endOf(login, clients)).toBe(text);
});

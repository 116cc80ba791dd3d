import { type DaemonCommand, ExitError, exitCodes, ProblemBoard } from "@datawire/runtime";
import { whereToListen } from "@datawire/http";
import { dataDirOf, type DirectorySettings } from "../config/settings.ts";
import { openStore } from "../store/open/open-store.ts";
import { splitStore } from "../store/split-store.ts";
import { keepTokens } from "../access/first-tokens.ts";
import { protectionOf } from "../access/protection.ts";
import { type MadeToken, TokenService } from "../access/token-service.ts";

/** `directory init`: makes the store and the first tokens, and prints each token once. */
export const initCommand: DaemonCommand<DirectorySettings> = {
  command: "init",
  summary: "make the store and the first tokens, and print each as ROLE TOKEN",
  describe(command) {
    command.option("--new-admin", "make one more admin token, for when the others are lost");
  },
  async run(context) {
    const { settings, input, log, clock, signal, print } = context;
    const folder = dataDirOf(settings.value, input.env);
    const { addresses } = await whereToListen(settings.value);
    const { auth, tls } = protectionOf(settings.value, addresses);
    const whole = await openStore(
      { store: settings.value.store, folder, address: null, leaseMs: settings.value.lease, tenant: null },
      { clock, log },
      signal,
    );
    try {
      const service = new TokenService({
        store: splitStore(whole).access,
        clock,
        log,
        board: new ProblemBoard(),
        pins: tls === "own",
        changed() {},
      });
      await service.load();
      const made = await makeTokens(service, { folder, again: input.options["newAdmin"] === true });
      const [file] = await keepTokens(
        folder,
        made.filter(({ record }) => record.role === "admin"),
      );
      for (const { record, token } of made) print(`${record.role} ${token}\n`);
      log.info("Admin token kept", { file });
      if (auth === "none") log.warn("Tokens are not asked for on loopback alone", { remedy: "auth: { mode: token }" });
    } finally {
      await whole.close();
    }
  },
};

async function makeTokens(
  service: TokenService,
  { folder, again }: { readonly folder: string; readonly again: boolean },
): Promise<readonly MadeToken[]> {
  if (again) return [await service.create({ role: "admin", services: null, tenant: null, expiresMs: null }, BY)];
  const made = await service.createFirst(BY);
  if (made !== null) return made;
  throw new ExitError(
    exitCodes.failed,
    `Cannot init ${folder}: it has tokens already, and nothing was changed; \`dw token create\` makes more, and ` +
      "`directory init --new-admin` an admin token where none is left",
  );
}

const BY = "directory init";

import { isMachineLocal } from "@datawire/protocol";
import { formatListenAddress } from "@datawire/runtime";
import { type Finding, findingsOf } from "./finding.ts";
import type { FolderNeed, FolderState, Machine, NameNeed, Needs, PortNeed } from "./machine.ts";

/** Checks the ports, folders, names and the HAProxy that the programs of this machine need. */
export async function checkMachine(machine: Machine, needs: Needs): Promise<Finding[]> {
  const findings = await Promise.all([
    needs.haproxy === undefined ? [] : checkHaproxy(machine, needs.haproxy.command),
    ...needs.ports.map((port) => checkPort(machine, port)),
    ...needs.folders.map(async (folder) => judgeFolder(folder, await machine.folder(folder.path))),
    ...needs.names.map((name) => checkName(machine, name, needs)),
  ]);
  return findings.flat();
}

async function checkHaproxy(machine: Machine, command: string | null): Promise<Finding> {
  const { ok, warning, error } = findingsOf("haproxy");
  try {
    const { path, version, isDynamic, lacks } = await machine.haproxy(command);
    const found = [`version ${version}`, ...lacks].join("; it ");
    if (isDynamic) return ok(path, found);
    return warning(
      path,
      found,
      "HAProxy 2.6 to 3.2 add instances while they run; https://haproxy.debian.net has them for Debian and Ubuntu",
    );
  } catch (failure) {
    // "Cannot find HAProxy: it is not in PATH; install it …": what is wrong, and what helps.
    const [message = "", ...remedy] = (failure instanceof Error ? failure.message : String(failure)).split("; ");
    return error(
      "haproxy",
      message,
      remedy.length > 0
        ? remedy.join("; ")
        : "install HAProxy 2.4 or newer (2.6 is better), or name it with haproxy.command in sherlock.yaml",
    );
  }
}

async function checkPort(machine: Machine, { program, at, flag, isTraffic }: PortNeed): Promise<Finding> {
  const { ok, error } = findingsOf("port");
  const subject = formatListenAddress(at);
  const use = isTraffic ? `${program}'s traffic` : program;
  const found = await machine.port(at);
  switch (found.state) {
    case "free":
      return ok(subject, `free for ${use}`);
    case "refused":
      return error(subject, `Cannot listen for ${use}: ${found.reason}`, `give ${program} another ${flag}`);
    case "taken": {
      const owner = await machine.identify(at);
      if (owner?.split(" ", 1)[0] === program)
        return ok(subject, `in use by ${owner}${isTraffic ? ", for traffic" : ""}`);
      return error(
        subject,
        `Cannot listen for ${use}: ${owner ?? "another program"} has the port`,
        `stop it (\`ss -ltnp 'sport = :${at.port}'\` names it), or give ${program} another ${flag}`,
      );
    }
  }
}

const GROUP_OR_OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

function judgeFolder({ program, what, path, flag }: FolderNeed, found: FolderState): Finding {
  const { ok, warning, error } = findingsOf("folder");
  const use = `${what} of ${program}`;
  const install = `\`install -d -m 700 ${path}\` as the user that ${program} runs as, or another ${flag}`;
  if (found.state === "hidden")
    return warning(
      path,
      `${use} cannot be looked at: ${found.reason}`,
      "run `dw doctor` as root where rights are missing",
    );
  if (!found.isFolder)
    return error(path, `${use}: ${found.nearest} is no folder`, `remove it, or give ${program} another ${flag}`);
  if (found.state === "missing") {
    if (found.isWritable) return ok(path, `${use}, made at the first start`);
    return error(
      path,
      `${use} is not there, and you cannot make it: ${found.nearest} belongs to ${found.owner}`,
      install,
    );
  }
  if ((found.mode & GROUP_OR_OTHERS_WRITE) !== 0 && (found.mode & STICKY) === 0) {
    const mode = (found.mode & 0o777).toString(8);
    return error(path, `${use} can be changed by others (mode ${mode})`, `\`chmod 700 ${path}\``);
  }
  if (found.isOwn || found.isWritable) return ok(path, `${use}, of ${found.owner}`);
  return warning(
    path,
    `${use} belongs to ${found.owner}, and you cannot write there`,
    `fine if ${program} runs as ${found.owner}; otherwise \`chown\` it, or another ${flag}`,
  );
}

async function checkName(
  machine: Machine,
  { program, name, isSet }: NameNeed,
  { directories }: Needs,
): Promise<Finding> {
  const { ok, warning, error } = findingsOf("name");
  const setting = `\`host\` in ${program}.yaml`;
  const addresses = await machine.resolve(name);
  const fix = `set ${setting} to a name or address by which others reach this machine, or put ${name} into the name service or /etc/hosts`;
  if (addresses.length === 0) {
    const message = `${program} tells others to use ${name}, which does not resolve here`;
    // Without a setting, a Watson says the address that the directory sees.
    return isSet ? error(name, message, fix) : warning(name, `the name of this machine does not resolve here`, fix);
  }
  const found = addresses.join(", ");
  if (isMachineLocal(name)) return ok(name, "only for this machine");
  if (addresses.every(isMachineLocal)) {
    const isAlone = directories.every(({ at }) => isMachineLocal(at.host));
    if (isAlone) return ok(name, `${found}, which is enough while the directory is on this machine`);
    return warning(name, `${name} is ${found} here, which leads others nowhere`, fix);
  }
  const own = machine.own();
  if (addresses.some((address) => own.includes(address))) return ok(name, found);
  return warning(
    name,
    `${name} is ${found}, which is no address of this machine`,
    `right behind a load balancer or NAT; otherwise ${fix}`,
  );
}

import { type DirectoryAddress, formatDirectoryAddress } from "@datawire/protocol";
import { formatListenAddress, type ListenAddress, type Place, type Problem } from "@datawire/runtime";

type PlaceOf = (...at: string[]) => Place;

/** What cannot be meant of settings that are right one by one. */
interface Settings {
  readonly listen?: ListenAddress | undefined;
  readonly admin?: ListenAddress | null | undefined;
  readonly tcp: Readonly<Record<string, ListenAddress>>;
  readonly directories: readonly DirectoryAddress[];
}

/** The settings of a Sherlock that contradict each other. */
export function settingsConflicts(settings: Settings, place: PlaceOf): Problem[] {
  return [...sharedAddresses(settings, place), ...repeatedDirectories(settings, place)];
}

/** Two things that would listen at one address: the one that comes second would find it in use. */
function sharedAddresses({ listen, admin, tcp }: Settings, place: PlaceOf): Problem[] {
  const services = Object.entries(tcp).map(([name, address]) => ({ key: `tcp.${name}`, address, at: ["tcp", name] }));
  const first = new Map<string, string>();
  return [
    { key: "listen", address: listen, at: ["listen"] },
    { key: "admin", address: admin, at: ["admin"] },
    ...services,
  ].flatMap(({ key, address, at }) => {
    if (address == null || address.port === 0) return [];
    const text = formatListenAddress(address);
    const other = first.get(text);
    if (other === undefined) first.set(text, key);
    if (other === undefined) return [];
    return [
      { ...place(...at), message: `${key} is ${JSON.stringify(text)}: ${other} listens there; wanted another port` },
    ];
  });
}

function repeatedDirectories({ directories }: Settings, place: PlaceOf): Problem[] {
  const all = directories.map(formatDirectoryAddress);
  const twice = new Set(all.filter((text, index) => all.indexOf(text) < index));
  return [...twice].map((text) => ({
    ...place("directories"),
    message: `the directory ${text} is there twice: wanted each once`,
  }));
}

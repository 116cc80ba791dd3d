import {
  isName,
  parseCallerAddress,
  parsePercent,
  parseServiceAddress,
  ProtocolError,
  type ServiceAddress,
} from "@datawire/protocol";
import { parseSource } from "@datawire/routing";
import { ExitError, exitCodes } from "@datawire/runtime";

/** Reads something typed on the command line by a rule of the protocol: a mistake there is a misused command line. */
export function typed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ExitError(exitCodes.misused, error.message);
  }
}

/** Says that the command line is misused. */
export function misuse(message: string): ExitError {
  return new ExitError(exitCodes.misused, message);
}

/** A service as `//barker` or `barker`. */
export function readService(text: string): string {
  const address = readServiceAddress(text);
  if (address.instance !== null || address.version !== null) {
    throw misuse(`Cannot read ${JSON.stringify(text)}: wanted a whole service, as in //${address.service}`);
  }
  return address.service;
}

/** A service, some of its versions or one of its instances; `//` may be left out. */
export function readServiceAddress(text: string): ServiceAddress {
  const address = isName(text) ? `//${text}` : text;
  return typed(() => parseServiceAddress(address, authority(address)));
}

/** An instance as `//barker@vm102`; gives its canonical address. */
export function readInstance(text: string): string {
  const { service, instance } = readServiceAddress(text);
  if (instance === null) {
    throw misuse(`Cannot read ${JSON.stringify(text)}: wanted one instance, as in //${service}@vm102`);
  }
  return `//${service}@${instance}`;
}

/** A caller as `//monolith` or `monolith`, `//*` or `*` for any. */
export function readCaller(text: string): string {
  return typed(() => parseCallerAddress(text === "*" || isName(text) ? `//${text}` : text));
}

/** Checks the TARGET of a route and gives it as typed: what it means is for the directory to say. */
export function checkTarget(text: string): string {
  typed(() => parseServiceAddress(text, authority(text)));
  return text;
}

/** Checks the SOURCE of a route and gives it as typed: whether it is a caller or a service is for the directory to say. */
export function checkSource(text: string): string {
  typed(() => parseSource(text, authority(text)));
  return text;
}

/** Checks a percentage and gives it as typed. */
export function checkPercent(text: string): string {
  typed(() => parsePercent(text));
  return text;
}

/** In `//services/barker`, whether `services` is its own name is for the directory to say. */
function authority(address: string): string[] {
  return address.split("/").slice(2, 3);
}

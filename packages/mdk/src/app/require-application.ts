import { MdkError } from "../session/mdk-error.ts";
import { Application } from "./mdk.ts";
import type { Mdk } from "./types.ts";

/** The library behind what an application was given. @throws MdkError `invalid_argument` */
export function requireApplication(mdk: Mdk): Application {
  if (mdk instanceof Application) return mdk;
  throw new MdkError("invalid_argument", "Cannot use that as the library: wanted what init() or start() gave");
}

import { type Clock, describeError, type Logger } from "@datawire/runtime";
import { type Moment, momentOf } from "../model/moment.ts";
import type { Faults } from "../problems/faults.ts";

/** Something that is looked at from time to time, and done when it is due. */
export interface Job {
  run(moment: Moment): void | Promise<void>;
}

interface JobsDeps {
  readonly faults: Faults;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Leases, elections and expiries are looked at this often; it is how exact they are. */
const TICK_MS = 100;

/** Looks at all jobs, one after the other and again and again, until the signal aborts. */
export async function runJobs(jobs: readonly Job[], deps: JobsDeps, signal: AbortSignal): Promise<void> {
  const { clock } = deps;
  const failed = createFailureReport(deps);
  while (!signal.aborted) {
    await clock.sleep(TICK_MS, signal);
    const moment = momentOf(clock);
    for (const job of jobs) {
      try {
        await job.run(moment);
      } catch (error) {
        failed(error, moment);
      }
    }
  }
}

/** Tells of a job that failed, which happens ten times a second where it goes on; the others are done all the same. */
function createFailureReport({ faults, log }: JobsDeps): (error: unknown, moment: Moment) => void {
  let told = "";
  return (error, moment) => {
    const reason = describeError(error);
    if (reason !== told) log.error("What is due could not be done", { error });
    told = reason;
    const remedy = "the directory's log says more; requests and links are served all the same";
    faults.note({ subject: "housekeeping", message: `what is due could not be done: ${reason}`, remedy }, moment);
  };
}

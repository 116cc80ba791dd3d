import { useConsole } from "../data/console.ts";
import { useStore } from "../data/store.ts";
import { Ago } from "../parts/ago.tsx";

/** Says that the directory is away, and how old what is shown is. */
export function OfflineBanner() {
  const { phase, seenAt } = useStore(useConsole().connection.state);
  if (phase !== "offline") return null;
  return (
    <p role="status" className="banner banner-warn">
      <span>
        The directory cannot be reached.{" "}
        {seenAt === null ? null : (
          <>
            What is shown is of <Ago at={seenAt} />.{" "}
          </>
        )}
        Changes wait until it is back; this page comes back by itself.
      </span>
    </p>
  );
}

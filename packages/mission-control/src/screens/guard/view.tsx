import { useReply } from "../../data/console.ts";
import { statusQuestion } from "../../data/questions.ts";
import { Answered, Empty } from "../../parts/answered.tsx";
import { GuardHolding } from "../../parts/guard-holding.tsx";
import { Page } from "../../parts/page.tsx";

/** What the guard holds, and why. */
export function Guard() {
  return (
    <Page title="Guard">
      <p className="lead">
        When many leases would end at once, the directory more likely lost its network than the services their machines:
        the guard keeps these instances until someone says otherwise.
      </p>
      <Answered reply={useReply(statusQuestion)}>
        {({ directory: { guard } }) =>
          guard === null ? (
            <Empty title="The guard holds nothing">All leases end when they are due.</Empty>
          ) : (
            <GuardHolding guard={guard} />
          )
        }
      </Answered>
    </Page>
  );
}

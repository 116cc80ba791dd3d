import { LOG_LEVELS } from "@datawire/protocol";
import { plural } from "../../core/format.ts";
import { useKept, useParam, useReply, useSettled } from "../../data/console.ts";
import { servicesQuestion } from "../../data/questions.ts";
import { Answered, Empty } from "../../parts/answered.tsx";
import { Page } from "../../parts/page.tsx";
import { Table } from "../../parts/table.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { Filter, Search, Toolbar } from "../../parts/toolbar.tsx";
import { droppedText, type Filters, messagesQuestion, tracesQuestion } from "./data.ts";
import { MESSAGE_COLUMNS } from "./message-columns.tsx";
import { TraceTable } from "./trace-table.tsx";

const RANGES = ["15m", "1h", "6h", "24h", "3d"];
const LIVE = "on";

/** Messages and spans: by request, the newest first, or one by one. */
export function Logs() {
  const [live, setLive] = useParam("live", LIVE);
  const services = useReply(servicesQuestion).data?.services ?? [];
  const isLive = live === LIVE;
  return (
    <Page
      title="Logs & Traces"
      actions={
        <button type="button" aria-pressed={isLive} className="toggle" onClick={() => setLive(isLive ? "off" : LIVE)}>
          Live
        </button>
      }
    >
      <Toolbar>
        <Search placeholder='words, "phrases", key=value' />
        <Filter label="Service" param="service" options={services.map(({ service }) => service)} all="any" />
        <Filter label="Level" param="level" options={LOG_LEVELS} all="any" />
        <Filter label="Since" param="since" options={RANGES} all="all that is kept" />
      </Toolbar>
      <Tabs
        label="Views of logs"
        tabs={[
          { key: "traces", title: "Traces", show: () => <Traces isLive={isLive} /> },
          { key: "messages", title: "Messages", show: () => <Messages isLive={isLive} /> },
        ]}
      />
    </Page>
  );
}

function useFilters(): Filters {
  const [typed] = useParam("q");
  const [service] = useParam("service");
  const [level] = useParam("level");
  const [since] = useParam("since");
  return { q: useSettled(typed.trim()), service, level, since };
}

function Traces({ isLive }: { readonly isLive: boolean }) {
  const filters = useFilters();
  const reply = useKept(useReply(tracesQuestion(filters, isLive)));
  return (
    <Answered reply={reply}>
      {({ traces, dropped, missing }) => (
        <>
          <Lost dropped={dropped} missing={missing} />
          {traces.length === 0 ? <Nothing /> : <TraceTable traces={traces} />}
        </>
      )}
    </Answered>
  );
}

function Messages({ isLive }: { readonly isLive: boolean }) {
  const filters = useFilters();
  const reply = useKept(useReply(messagesQuestion(filters, isLive)));
  return (
    <Answered reply={reply}>
      {({ events, dropped, missing }) => (
        <>
          <Lost dropped={dropped} missing={missing} />
          {events.length === 0 ? (
            <Nothing />
          ) : (
            <Table label="Messages" rows={events} columns={MESSAGE_COLUMNS} keyOf={({ id }) => id} />
          )}
        </>
      )}
    </Answered>
  );
}

function Nothing() {
  return (
    <Empty title="Nothing to show">
      Change the search, or send some: <code>OTEL_EXPORTER_OTLP_ENDPOINT</code> set to this directory is enough, and{" "}
      <code>spans: errors</code> in sherlock.yaml adds requests that failed.
    </Empty>
  );
}

interface LostProps {
  readonly dropped: Readonly<Record<string, number>>;
  readonly missing: readonly string[];
}

function Lost({ dropped, missing }: LostProps) {
  const text = droppedText(dropped);
  return (
    <>
      <p data-testid="dropped" className={text === null ? "quiet" : "text-warn"}>
        {text === null
          ? "Nothing was dropped since this directory started."
          : `Dropped since this directory started: ${text}.`}
      </p>
      {missing.length === 0 ? null : (
        <p className="banner banner-warn">
          {plural(missing.length, "directory")} did not answer in time: {missing.join(", ")}
        </p>
      )}
    </>
  );
}

// What a page has around the owner's snippets: the functions they call, and a clock that runs a hundred times as fast.
// Whatever happens is a line of JSON: a list whose first element says what.
const say = (...said) => globalThis.console.log(JSON.stringify(said));
const console = { log: say, error: say };
const faster = (timer) => (job, ms) => timer(job, ms / 100);
const setTimeout = faster(globalThis.setTimeout);
const setInterval = faster(globalThis.setInterval);
const updateLocationStatus = (data) => say("updateLocationStatus", data);
const updateStationStatus = (data) => say("updateStationStatus", data);
const updateStationDetails = (body) => say("updateStationDetails", body);
const reconnect = () => say("reconnect");

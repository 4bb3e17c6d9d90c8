// The diff library's own worker: parses grammars and colours lines away from the page.
import '@pierre/diffs/worker/worker.js';

import './app/zod.ts';
import './theme/index.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from './rpc/client.ts';
import { defaultTransport, followToken } from './rpc/transport.ts';
import { coreEvents, setClient } from './state/store.ts';
import { followAddress } from './state/route.ts';
import { followTheme } from './theme/follow.ts';
import { listenForKeys } from './actions/keys.ts';
import { register } from './actions/registry.ts';
import { appActions } from './actions/app.ts';
import { followRecipes } from './actions/recipe.ts';
import { taskActions } from './actions/task.ts';
import { transcriptActions } from './actions/transcript.ts';
import { followWidth } from './app/narrow.ts';
import { announce } from './app/announce.ts';
import { followShell } from './app/shell.ts';
import { App } from './app/app.tsx';

followTheme();
followWidth();
register([...appActions, ...taskActions, ...transcriptActions]);
const { connect, token } = defaultTransport();
setClient(createClient(connect, token, coreEvents));
if (!window.signalbox) followToken();
followRecipes();
followAddress();
listenForKeys();
announce();
followShell();
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

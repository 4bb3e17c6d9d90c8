import { z } from 'zod';

// The page's CSP forbids code from strings, which zod's compiled parsers are.
z.config({ jitless: true });

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Three files of fixed names, so that a server finds them and a report can hold them. */
export default defineConfig({
  root: 'src/web',
  base: './',
  publicDir: false,
  plugins: [react()],
  build: {
    outDir: '../../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: {
      output: { entryFileNames: 'app.js', assetFileNames: 'app[extname]', codeSplitting: false },
    },
  },
});

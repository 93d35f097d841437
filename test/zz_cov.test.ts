import { it } from 'vitest';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { judgeErrorOf } from '/work/judge/src/methods/judging/judgeError.ts';
import { drawStratified } from '/work/judge/src/methods/judging/stratified.ts';
import { generatorOf } from '/work/judge/src/methods/statistics/random.ts';
it('cov', () => {
  for (const w of [{share:.81,sensitivity:.98,specificity:.5},{share:.3,sensitivity:.9,specificity:.95},{share:.5,sensitivity:1,specificity:1},{share:.6,sensitivity:.8,specificity:.8}])
  for (const n of [60, 150, 400]) {
    const runs=300; const acc:any={sensitivity:[0,0,0,0],specificity:[0,0,0,0]};
    for (let seed=1;seed<=runs;seed++){
      const r=generatorOf(seed*7919); const ch=(p:number)=>uniformFloat64(r)<p;
      const texts=Array.from({length:3000},()=>{if(ch(.1))return ['incoherent','incoherent'];const t=ch(w.share);const j=ch(t?w.sensitivity:1-w.specificity);return [t?'positive':'negative',j?'positive':'negative']});
      const sheet=drawStratified(texts,{stratumOf:(x)=>x[1]!,weightOf:(s)=>s==="incoherent"?1:2,count:n,seed:seed+100000});
      const c=(f:any[],s:string,t?:string)=>f.filter(x=>x[1]===s&&(t===undefined||x[0]===t)).length;
      const st=(s:string)=>({population:c(texts,s),read:{positive:c(sheet,s,'positive'),negative:c(sheet,s,'negative'),incoherent:c(sheet,s,'incoherent')}});
      const e=judgeErrorOf([{positive:st('positive'),negative:st('negative'),incoherent:st('incoherent')}],seed+200000).estimates;
      for(const k of ['sensitivity','specificity'] as const){const x=e[k];if(Number.isNaN(x.value))continue;acc[k][0]++;acc[k][1]+=x.value;acc[k][2]+=Number(x.low<=(w as any)[k]+1e-12&&(w as any)[k]<=x.high);acc[k][3]+=x.high-x.low}
    }
    console.log(JSON.stringify(w),n,['sensitivity','specificity'].map(k=>{const [m,v,cv,wd]=acc[k];return `${k} n${m} mean ${(v/m).toFixed(3)} cover ${(cv/m).toFixed(3)} width ${(wd/m).toFixed(2)}`}).join(' | '));
  }
}, 1e6);

/** The hero drawing for reading lamps: an armchair, a long-necked lamp, a window with the moon. */
import { glow } from './defs';

export const armchair = `
  <defs><linearGradient id="reading-wall" x1="0" y1="0" x2="1" y2="0"><stop offset="0" stop-color="#2f1746"/><stop offset="1" stop-color="#5d2f78"/></linearGradient></defs>
  <path d="M0 0h1200v520H0z" fill="url(#reading-wall)"/>
  <path d="M0 452h1200v68H0z" fill="#231035"/><path d="M0 448h1200v6H0z" fill="#7b4a97" opacity=".5"/>
  <rect x="640" y="52" width="150" height="210" rx="75" fill="#17153c"/><circle cx="738" cy="120" r="24" fill="#fff1cd"/><circle cx="680" cy="104" r="2" fill="#fff"/><circle cx="696" cy="176" r="2" fill="#fff"/><circle cx="752" cy="196" r="1.600" fill="#fff"/>
  <path d="M642 204c40-24 52-4 76-16s40-10 70-14c2 50-26 88-73 88-40 0-66-26-73-58Z" fill="#2a2457"/>
  <path d="M715 52v210M640 160h150" stroke="#8a5aa8" stroke-width="6"/><rect x="640" y="52" width="150" height="210" rx="75" fill="none" stroke="#8a5aa8" stroke-width="8"/>
  <path class="glow" d="M884 236 770 470h330L984 246Z" fill="url(#beam)"/>${glow(936, 232, 170)}
  <ellipse cx="930" cy="474" rx="240" ry="24" fill="#e07a52" opacity=".28"/>
  <path d="M1102 470V150c0-86-146-92-160 16" fill="none" stroke="url(#brass)" stroke-width="10" stroke-linecap="round"/><ellipse cx="1102" cy="470" rx="46" ry="9" fill="#c98f42"/>
  <path d="M934 152 876 232c24 24 82 30 112 12l-26-86c-6-14-20-16-28-6Z" fill="#f08a5d"/><path d="M934 152 876 232c10 10 24 17 40 20l28-104c-4 0-8 1-10 4Z" fill="#ffab82"/><ellipse cx="931" cy="242" rx="54" ry="11" transform="rotate(6 931 242)" fill="#fff0c2"/>
  <path d="M820 300c0-26 20-40 48-40h76c28 0 48 14 48 40v110H820Z" fill="#2f8a7e"/><path d="M820 300c0-26 20-40 48-40h20c-24 30-28 80-28 150h-40Z" fill="#4fb3a3"/>
  <path d="M788 344c0-18 14-28 28-28s28 12 28 30v44h124v-44c0-18 14-30 28-30s28 10 28 28v88c0 12-8 20-20 20H808c-12 0-20-8-20-20Z" fill="#39998b"/><path d="M844 390h124v34H844z" fill="#63c2b1"/><path d="M812 452h14v26h-14zM986 452h14v26h-14z" fill="#6e4a2a"/>
  <path d="M862 384c18-16 34-16 46-4 12-12 28-12 46 4l-2 10c-16-8-30-6-44 4-14-10-28-12-44-4Z" fill="#fff6dc"/><path d="M908 380v18" stroke="#c9b28a" stroke-width="2"/>
  <g transform="translate(704 402)"><path d="M0 58h96v10H0z" fill="#ffc845"/><path d="M8 46h84v12H8z" fill="#f4f2fb"/><path d="M-4 34h88v12H-4z" fill="#e07a52"/><path d="M32 10h36v24H36c-6 0-8-24-4-24Z" fill="#b58be0"/><path d="M68 15c14-2 14 14 0 13" fill="none" stroke="#b58be0" stroke-width="4"/></g>`;

/* Cleanup with random players in C, one thread: the limit that the benchmark compares with. Rules as in commonage/games/cleanup.py:
   growth and dirt by the old state, turns and steps in a random order, eating, beams on one field, coming back; an 11 x 11 view of
   codes for each of seven players after every step. usage: cleanup MAPFILE BATCH STEPS; the map is a line per row of
   '#' wall, '.' floor, 'A' orchard, 'W' water, 'C' clean and 'D' dirty river, 'S' spawn. Prints steps/s, dirt, apples eaten, checksum. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { H = 21, W = 30, N = 7, CELLS = H * W, FLOOR = 1, WALL = 2, APPLE = 3, WATER = 4, DIRT = 5 };
typedef struct { uint64_t rng; int clock, dirty, at[N], facing[N], out[N], wait[N][2]; uint8_t cells[CELLS]; } Env;

static uint8_t ground[CELLS];
static int orchards[CELLS], beds[CELLS], spawns[CELLS], orchard_count, bed_count, spawn_count;
static const int DELTA[4] = {-W, 1, W, -1};

static inline uint32_t draw(Env *e) { /* splitmix64 */
    uint64_t z = (e->rng += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}
static inline int below(Env *e, int n) { return (int)(((uint64_t)draw(e) * (uint64_t)n) >> 32); }
static int taken(const Env *e, int cell) {
    for (int i = 0; i < N; i++) if (!e->out[i] && e->at[i] == cell) return 1;
    return 0;
}
static void enter(Env *e, int i) {
    int cell;
    e->out[i] = 1;
    do cell = spawns[below(e, spawn_count)]; while (taken(e, cell));
    e->at[i] = cell, e->facing[i] = below(e, 4), e->out[i] = 0;
}
static void begin(Env *e, uint64_t seed) {
    memset(e, 0, sizeof *e);
    e->rng = seed * 0x2545F4914F6CDD1Dull + 1;
    memcpy(e->cells, ground, CELLS);
    for (int i = 0; i < bed_count; i++) e->dirty += ground[beds[i]] == DIRT;
    for (int i = 0; i < N; i++) e->out[i] = 1;
    for (int i = 0; i < N; i++) enter(e, i);
}
/* the first cell with this code, or a player where code is 0, in a line of the beam; -1 none */
static int ray(const Env *e, int i, int side, int code) {
    int ahead = DELTA[e->facing[i]], right = DELTA[(e->facing[i] + 1) & 3], cell = e->at[i] + side * right + (side ? 0 : ahead);
    for (int k = 0; k < 3; k++, cell += ahead) {
        if (ground[cell] == WALL) return -1;
        if (code ? e->cells[cell] == code : taken(e, cell)) return cell;
    }
    return -1;
}
static int step(Env *e) {
    int eaten = 0, moves[N], order[N], away[N], hit[N] = {0}, spots[N][3];
    double rate = 0.05 * (1 - (double)e->dirty / bed_count / 0.4);
    if (rate > 0) {
        uint32_t limit = (uint32_t)(rate * 4294967295.0);
        for (int k = 0; k < orchard_count; k++)
            if (draw(e) < limit && e->cells[orchards[k]] == FLOOR) e->cells[orchards[k]] = APPLE;
    }
    if (e->clock >= 50 && (draw(e) & 1) && e->dirty < bed_count) {
        int cell;
        do cell = beds[below(e, bed_count)]; while (e->cells[cell] == DIRT);
        e->cells[cell] = DIRT, e->dirty++;
    }
    for (int i = 0; i < N; i++) moves[i] = below(e, 9), order[i] = i, away[i] = e->out[i];
    for (int i = N - 1; i > 0; i--) { int j = below(e, i + 1), t = order[i]; order[i] = order[j], order[j] = t; }
    for (int k = 0; k < N; k++) {
        int i = order[k];
        if (e->out[i]) continue;
        if (moves[i] >= 1 && moves[i] <= 4) {
            static const int WAY[5] = {0, 0, 2, 3, 1};
            int cell = e->at[i] + DELTA[(e->facing[i] + WAY[moves[i]]) & 3];
            if (ground[cell] != WALL && !taken(e, cell)) e->at[i] = cell;
        } else if (moves[i] == 5) e->facing[i] = (e->facing[i] + 3) & 3;
        else if (moves[i] == 6) e->facing[i] = (e->facing[i] + 1) & 3;
    }
    for (int i = 0; i < N; i++)
        if (!e->out[i] && e->cells[e->at[i]] == APPLE) e->cells[e->at[i]] = FLOOR, eaten++;
    for (int i = 0; i < N; i++) {
        spots[i][0] = spots[i][1] = spots[i][2] = -1;
        if (e->out[i]) continue;
        for (int beam = 0; beam < 2; beam++) {
            if (e->wait[i][beam]) { e->wait[i][beam]--; continue; }
            if (moves[i] != 7 + beam) continue;
            e->wait[i][beam] = beam ? 2 : 10;
            for (int side = -1; side <= 1; side++) {
                int cell = ray(e, i, side, beam ? DIRT : 0);
                if (cell < 0) continue;
                if (beam) spots[i][side + 1] = cell;
                else for (int j = 0; j < N; j++) if (!e->out[j] && e->at[j] == cell) hit[j] = 1;
            }
        }
    }
    for (int i = 0; i < N; i++)
        for (int k = 0; k < 3; k++)
            if (spots[i][k] >= 0 && e->cells[spots[i][k]] == DIRT) e->cells[spots[i][k]] = WATER, e->dirty--;
    for (int i = 0; i < N; i++) {
        if (hit[i]) e->out[i] = 50;
        else if (away[i] && --e->out[i] == 0) enter(e, i);
    }
    e->clock++;
    return eaten;
}
static void look(const Env *e, uint8_t *view) {
    uint8_t marked[CELLS];
    memcpy(marked, e->cells, CELLS);
    for (int i = 0; i < N; i++) if (!e->out[i]) marked[e->at[i]] |= (uint8_t)((i + 1) << 4);
    for (int i = 0; i < N; i++, view += 121) {
        if (e->out[i]) { memset(view, 0, 121); continue; }
        int row = e->at[i] / W, column = e->at[i] % W, f = e->facing[i], k = 0;
        for (int ahead = 9; ahead >= -1; ahead--)
            for (int side = -5; side <= 5; side++, k++) {
                int r = row + (f == 0 ? -ahead : f == 2 ? ahead : f == 1 ? side : -side);
                int c = column + (f == 1 ? ahead : f == 3 ? -ahead : f == 0 ? side : -side);
                r = r < 0 ? 0 : r >= H ? H - 1 : r, c = c < 0 ? 0 : c >= W ? W - 1 : c;
                view[k] = marked[r * W + c];
            }
    }
}
int main(int argc, char **argv) {
    if (argc != 4) return 2;
    FILE *map = fopen(argv[1], "r");
    char line[64];
    for (int r = 0; map && r < H && fgets(line, sizeof line, map); r++)
        for (int c = 0; c < W; c++) {
            int cell = r * W + c;
            char kind = line[c];
            ground[cell] = kind == '#' ? WALL : kind == 'W' || kind == 'C' ? WATER : kind == 'D' ? DIRT : FLOOR;
            if (kind == 'A') orchards[orchard_count++] = cell;
            if (kind == 'C' || kind == 'D') beds[bed_count++] = cell;
            if (kind == 'S') spawns[spawn_count++] = cell;
        }
    int batch = atoi(argv[2]), steps = atoi(argv[3]), dirt = 0;
    Env *envs = malloc(sizeof(Env) * batch);
    uint8_t *views = malloc((size_t)batch * N * 121);
    for (int b = 0; b < batch; b++) begin(&envs[b], b + 1);
    struct timespec from, to;
    long eaten = 0;
    uint64_t sum = 0;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int t = 0; t < steps; t++)
        for (int b = 0; b < batch; b++) eaten += step(&envs[b]), look(&envs[b], views + (size_t)b * N * 121);
    clock_gettime(CLOCK_MONOTONIC, &to);
    for (int b = 0; b < batch; b++) dirt += envs[b].dirty;
    for (size_t k = 0; k < (size_t)batch * N * 121; k++) sum = sum * 31 + views[k];
    double seconds = (to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) * 1e-9;
    printf("%.0f %.2f %ld %08x\n", (double)batch * steps / seconds, (double)dirt / batch, eaten, (unsigned)(sum & 0xffffffff));
    return 0;
}

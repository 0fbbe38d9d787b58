/*
 * A stand-in libnvidia-ml.so.1 whose true power is known.
 *
 * Three layers, top to bottom of this file:
 *
 *   truth    power of GPU i at time t: a square wave, or the levels of an event log. Its integral has a closed form.
 *   sensor   what a real card would report of that truth: part-time sampling, ticks, averaging windows, gain, reset.
 *   NVML     the calls that nvidia-ml-py, CodeCarbon and torch make, with settable errors, latency and a lost device.
 *
 * Nothing is accumulated while time passes. Every answer is computed from the settings and the time of the call, so
 * that two processes agree to the last digit and nothing drifts. All settings live in one mapped file (struct control,
 * mirrored in control.py), named by the environment variable JOULEBENCH_STANDIN.
 *
 * Units: W, ns and their product nJ inside; mJ and mW at the NVML boundary. Intervals are [start, end).
 */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_GPUS 32
#define MAX_PROCESSES 8
#define MAX_UNSUPPORTED 8
#define MAX_EVENTS 65536
#define MAGIC 0x314e4954534c554aULL /* "JULSTIN1" */

enum family { INIT, HANDLE, INFO, ENERGY, POWER, FIELDS, TEMPERATURE, CLOCKS, REASONS, PROCESSES, MEMORY, LIMITS, MIG,
              UTILISATION, FAMILIES };

/* ---- the control file: keep in step with the mirror in control.py -------------------------------------------- */

struct process {
    uint32_t pid;
    uint64_t used_bytes;
};

struct fault {
    int32_t code;  /* NVML error to answer; 0: none */
    int32_t gpu;   /* only calls on this GPU; -1: all calls of the family */
    int64_t after; /* calls that still succeed */
    int64_t times; /* calls that then fail; -1: all of them */
    int64_t seen;  /* matching calls since the fault was armed */
    int64_t calls; /* all calls of the family, faulty or not */
};

struct gpu {
    double base_w, wave_high_w, wave_duty;
    int64_t wave_period_ns, wave_phase_ns;

    int64_t tick_ns, tick_phase_ns, averaging_window_ns, sensor_period_ns, sensor_phase_ns;
    double seen_share, gain;
    double counter_offset_mj;
    int64_t counter_origin_ns, counter_reset_ns, counter_frozen_ns, lost_ns;
    int64_t counter_wraps_mj; /* the counter begins again at 0 whenever it gets there; 0: it never does */
    double module_extra_w;
    int64_t latency_us, process_latency_us;
    int64_t counter_late_ns; /* the counter's ticks are published so much later; power readings are not */

    uint64_t reasons, supported_reasons;
    uint64_t memory_total_bytes, memory_used_bytes, memory_reserved_bytes;
    struct process compute[MAX_PROCESSES], graphics[MAX_PROCESSES];
    uint32_t compute_count, graphics_count;
    uint32_t unsupported_fields[MAX_UNSUPPORTED];
    uint32_t temperature_c, slowdown_temperature_c, shutdown_temperature_c;
    uint32_t sm_clock_mhz, memory_clock_mhz, sm_clock_max_mhz, memory_clock_max_mhz;
    uint32_t utilisation_percent, memory_utilisation_percent;
    uint32_t power_limit_mw, power_limit_default_mw, power_limit_min_mw, power_limit_max_mw;
    int32_t mig_mode; /* -1: not supported */
    uint32_t persistence_mode, compute_mode, performance_state, architecture, capability_major, capability_minor;

    bool counter_supported, counter_part_time, counter_is_module, module_scope, usage_is_instant;
    char name[96], uuid[96], serial[32], board_part_number[32];
};

struct event {
    int64_t t_ns;
    double watts;
    int32_t gpu;
};

struct control {
    uint64_t magic;
    uint32_t gpu_count, virtual_clock;
    int64_t virtual_now_ns;
    uint64_t sequence; /* odd while a writer changes several settings at once */
    int32_t cuda_version;
    char driver_version[80], nvml_version[80];
    struct fault faults[FAMILIES];
    struct gpu gpus[MAX_GPUS];
    uint64_t event_generation, event_count;
    struct event events[MAX_EVENTS];
};

/* ---- a process's view of it: the map, and the event log sorted by time for each GPU ------------------------- */

struct log {
    size_t count, room;
    int64_t *t_ns;
    double *watts;
    double *sum_nj; /* energy from the first event up to this one */
};

struct view {
    struct control *control;
    dev_t device;
    ino_t inode;
    pthread_mutex_t lock;
    uint64_t generation, absorbed;
    struct log logs[MAX_GPUS];
};

EXPORT void *standin_open(const char *path) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return NULL;
    struct stat status;
    void *map = MAP_FAILED;
    if (fstat(fd, &status) == 0 && (size_t)status.st_size >= sizeof(struct control))
        map = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED) return NULL;
    struct view *view = calloc(1, sizeof *view);
    if (view == NULL || ((struct control *)map)->magic != MAGIC) {
        munmap(map, sizeof(struct control));
        free(view);
        return NULL;
    }
    view->control = map;
    view->device = status.st_dev;
    view->inode = status.st_ino;
    pthread_mutex_init(&view->lock, NULL);
    return view;
}

EXPORT void standin_close(void *opened) {
    struct view *view = opened;
    for (int i = 0; i < MAX_GPUS; i++) {
        free(view->logs[i].t_ns);
        free(view->logs[i].watts);
        free(view->logs[i].sum_nj);
    }
    munmap(view->control, sizeof(struct control));
    free(view);
}

/* Sizes and offsets, so that the Python mirror can prove that it describes the same bytes. */
EXPORT int64_t standin_layout(int which) {
    switch (which) {
    case 0: return sizeof(struct control);
    case 1: return sizeof(struct gpu);
    case 2: return sizeof(struct fault);
    case 3: return sizeof(struct event);
    case 4: return offsetof(struct control, faults);
    case 5: return offsetof(struct control, gpus);
    case 6: return offsetof(struct control, event_count);
    case 7: return offsetof(struct control, events);
    case 8: return offsetof(struct gpu, reasons);
    case 9: return offsetof(struct gpu, compute_count);
    case 10: return offsetof(struct gpu, counter_supported);
    case 11: return offsetof(struct gpu, board_part_number);
    default: return -1;
    }
}

static void log_insert(struct log *log, int64_t t_ns, double watts) {
    if (log->count == log->room) {
        log->room = log->room ? 2 * log->room : 256;
        log->t_ns = realloc(log->t_ns, log->room * sizeof *log->t_ns);
        log->watts = realloc(log->watts, log->room * sizeof *log->watts);
        log->sum_nj = realloc(log->sum_nj, log->room * sizeof *log->sum_nj);
        if (!log->t_ns || !log->watts || !log->sum_nj) abort();
    }
    size_t at = log->count++;
    for (; at > 0 && log->t_ns[at - 1] > t_ns; at--) { /* equal times: the one written last wins */
        log->t_ns[at] = log->t_ns[at - 1];
        log->watts[at] = log->watts[at - 1];
    }
    log->t_ns[at] = t_ns;
    log->watts[at] = watts;
    for (; at < log->count; at++)
        log->sum_nj[at] =
            at == 0 ? 0.0 : log->sum_nj[at - 1] + log->watts[at - 1] * (double)(log->t_ns[at] - log->t_ns[at - 1]);
}

static void absorb_events(struct view *view) {
    const struct control *control = view->control;
    uint64_t generation = __atomic_load_n(&control->event_generation, __ATOMIC_ACQUIRE);
    if (generation != view->generation) {
        for (int i = 0; i < MAX_GPUS; i++) view->logs[i].count = 0;
        view->absorbed = 0;
        view->generation = generation;
    }
    uint64_t count = __atomic_load_n(&control->event_count, __ATOMIC_ACQUIRE);
    for (; view->absorbed < count && view->absorbed < MAX_EVENTS; view->absorbed++) {
        const struct event *event = &control->events[view->absorbed];
        if (event->gpu >= 0 && event->gpu < MAX_GPUS) log_insert(&view->logs[event->gpu], event->t_ns, event->watts);
    }
}

/* A consistent copy of one GPU's settings. A writer that died half-way holds readers up for a moment, not for ever. */
static void copy_settings(const struct control *control, int index, struct gpu *copy) {
    for (int attempt = 0; attempt < 100000; attempt++) {
        uint64_t before = __atomic_load_n(&control->sequence, __ATOMIC_ACQUIRE);
        memcpy(copy, &control->gpus[index], sizeof *copy);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (!(before & 1) && __atomic_load_n(&control->sequence, __ATOMIC_RELAXED) == before) return;
        sched_yield();
    }
}

static int64_t now_of(const struct control *control) {
    if (__atomic_load_n(&control->virtual_clock, __ATOMIC_ACQUIRE))
        return __atomic_load_n(&control->virtual_now_ns, __ATOMIC_ACQUIRE);
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* ---- truth --------------------------------------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

static int64_t wave_high_ns(const struct gpu *gpu) {
    return llround(gpu->wave_duty * (double)gpu->wave_period_ns);
}

/* Time the square wave has been high since its phase: the integral that makes its energy exact. */
static int64_t wave_time_high(const struct gpu *gpu, int64_t t_ns) {
    int64_t since = t_ns - gpu->wave_phase_ns, periods = floor_div(since, gpu->wave_period_ns);
    int64_t rest = since - periods * gpu->wave_period_ns, high = wave_high_ns(gpu);
    return periods * high + (rest < high ? rest : high);
}

/* Index of the last event at or before t, or -1. */
static int64_t log_find(const struct log *log, int64_t t_ns) {
    int64_t low = 0, high = (int64_t)log->count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (log->t_ns[middle] <= t_ns) low = middle + 1;
        else high = middle;
    }
    return low - 1;
}

/* Energy from the first event to t; negative before it, where the GPU drew its base power. */
static double log_energy(const struct gpu *gpu, const struct log *log, int64_t t_ns) {
    int64_t i = log_find(log, t_ns);
    if (i < 0) return gpu->base_w * (double)(t_ns - log->t_ns[0]);
    return log->sum_nj[i] + log->watts[i] * (double)(t_ns - log->t_ns[i]);
}

static double true_power(const struct gpu *gpu, const struct log *log, int64_t t_ns) {
    if (gpu->wave_period_ns > 0) {
        int64_t since = t_ns - gpu->wave_phase_ns;
        int64_t rest = since - floor_div(since, gpu->wave_period_ns) * gpu->wave_period_ns;
        return rest < wave_high_ns(gpu) ? gpu->wave_high_w : gpu->base_w;
    }
    int64_t i = log_find(log, t_ns);
    return i < 0 ? gpu->base_w : log->watts[i];
}

static double true_energy(const struct gpu *gpu, const struct log *log, int64_t start, int64_t end) {
    if (gpu->wave_period_ns > 0)
        return gpu->base_w * (double)(end - start) +
               (gpu->wave_high_w - gpu->base_w) * (double)(wave_time_high(gpu, end) - wave_time_high(gpu, start));
    if (log->count == 0) return gpu->base_w * (double)(end - start);
    int64_t i = log_find(log, start);
    if (i >= 0 && i == log_find(log, end)) return log->watts[i] * (double)(end - start); /* no cancellation */
    return log_energy(gpu, log, end) - log_energy(gpu, log, start);
}

/* ---- sensor -------------------------------------------------------------------------------------------------- */

struct sensor {
    const struct gpu *gpu;
    const struct log *log;
    int64_t period, window; /* of every period only [start, start + window) is sampled */
};

static struct sensor sensor_of(const struct gpu *gpu, const struct log *log) {
    int64_t period = gpu->sensor_period_ns > 0 ? gpu->sensor_period_ns : 1;
    int64_t window = llround(gpu->seen_share * (double)period);
    if (window < 1) window = 1;
    if (window > period) window = period;
    return (struct sensor){gpu, log, period, window};
}

static int64_t period_index(const struct sensor *s, int64_t t_ns) {
    return floor_div(t_ns - s->gpu->sensor_phase_ns, s->period);
}

static int64_t period_start(const struct sensor *s, int64_t k) {
    return s->gpu->sensor_phase_ns + k * s->period;
}

/* Mean power over the sampled window of period k. */
static double window_mean(const struct sensor *s, int64_t k) {
    int64_t start = period_start(s, k);
    return true_energy(s->gpu, s->log, start, start + s->window) / (double)s->window;
}

/* From the start of t's period to t: inside the window the truth itself, after it the window's mean held. */
static double seen_within(const struct sensor *s, int64_t t_ns) {
    int64_t k = period_index(s, t_ns), start = period_start(s, k);
    if (t_ns <= start + s->window) return true_energy(s->gpu, s->log, start, t_ns);
    return window_mean(s, k) * (double)(t_ns - start);
}

static double sum_of_means(const struct sensor *s, int64_t from, int64_t to) {
    double sum = 0.0;
    for (int64_t k = from; k < to; k++) sum += window_mean(s, k);
    return sum;
}

static int64_t gcd(int64_t a, int64_t b) {
    while (b) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Sum of window_mean over periods [from, to). Repetition is multiplied, not walked: hours cost what minutes do. */
static double periods_seen(const struct sensor *s, int64_t from, int64_t to) {
    if (s->gpu->wave_period_ns > 0) {
        int64_t pattern = s->gpu->wave_period_ns / gcd(s->gpu->wave_period_ns, s->period), n = to - from;
        if (n <= pattern) return sum_of_means(s, from, to);
        return (double)(n / pattern) * sum_of_means(s, from, from + pattern) +
               sum_of_means(s, from, from + n % pattern);
    }
    double sum = 0.0;
    for (int64_t k = from; k < to;) {
        int64_t start = period_start(s, k), next = log_find(s->log, start) + 1, same = to - k;
        if (next < (int64_t)s->log->count) /* periods whose whole window lies before the next event */
            same = floor_div(s->log->t_ns[next] - s->window - start, s->period) + 1;
        if (same > to - k) same = to - k;
        if (same < 1) same = 1;
        sum += (double)same * window_mean(s, k);
        k += same;
    }
    return sum;
}

/* Energy the sensor believes was drawn: each period's window stands for the entire period. */
static double seen_energy(const struct gpu *gpu, const struct log *log, int64_t start, int64_t end) {
    struct sensor s = sensor_of(gpu, log);
    if (s.window == s.period) return true_energy(gpu, log, start, end);
    int64_t first = period_index(&s, start), last = period_index(&s, end);
    return seen_within(&s, end) - seen_within(&s, start) + periods_seen(&s, first, last) * (double)s.period;
}

static int64_t last_tick(const struct gpu *gpu, int64_t now) {
    if (gpu->tick_ns <= 0) return now;
    return gpu->tick_phase_ns + floor_div(now - gpu->tick_phase_ns, gpu->tick_ns) * gpu->tick_ns;
}

/* The tick that the counter stands for: of what it counted, the last that is published. */
static int64_t published_tick(const struct gpu *gpu, int64_t now) {
    return last_tick(gpu, now - gpu->counter_late_ns);
}

/* The counter before it is cut to whole mJ. */
static double counter_mj(const struct gpu *gpu, const struct log *log, int64_t now, bool module) {
    if (now > gpu->counter_frozen_ns) now = gpu->counter_frozen_ns;
    bool reset = now >= gpu->counter_reset_ns;
    int64_t origin = reset ? gpu->counter_reset_ns : gpu->counter_origin_ns;
    int64_t tick = published_tick(gpu, now);
    double offset = reset ? 0.0 : gpu->counter_offset_mj;
    if (tick <= origin) return offset;
    double nj = gpu->counter_part_time ? seen_energy(gpu, log, origin, tick) : true_energy(gpu, log, origin, tick);
    if (module) nj += gpu->module_extra_w * (double)(tick - origin);
    return offset + gpu->gain * nj / 1e6;
}

static double average_w(const struct gpu *gpu, const struct log *log, int64_t now) {
    int64_t tick = last_tick(gpu, now), window = gpu->averaging_window_ns > 0 ? gpu->averaging_window_ns : 1;
    return gpu->gain * seen_energy(gpu, log, tick - window, tick) / (double)window;
}

/* Mean over the last sampled window that closed at or before the last tick. */
static double instant_w(const struct gpu *gpu, const struct log *log, int64_t now) {
    struct sensor s = sensor_of(gpu, log);
    return gpu->gain * window_mean(&s, period_index(&s, last_tick(gpu, now) - s.window));
}

/* ---- exports for the test side: the truth, and the exact counter -------------------------------------------- */

static const struct log *ready(struct view *view, int index, struct gpu *settings) {
    pthread_mutex_lock(&view->lock);
    absorb_events(view);
    copy_settings(view->control, index, settings);
    return &view->logs[index];
}

/* Joules GPU index really drew in [start, end): no ticks, no gain, no sensor. */
EXPORT double standin_true_energy_j(void *opened, int index, int64_t start_ns, int64_t end_ns) {
    struct view *view = opened;
    struct gpu gpu;
    const struct log *log = ready(view, index, &gpu);
    double nj = true_energy(&gpu, log, start_ns, end_ns);
    pthread_mutex_unlock(&view->lock);
    return nj / 1e9;
}

EXPORT double standin_true_power_w(void *opened, int index, int64_t t_ns) {
    struct view *view = opened;
    struct gpu gpu;
    const struct log *log = ready(view, index, &gpu);
    double watts = true_power(&gpu, log, t_ns);
    pthread_mutex_unlock(&view->lock);
    return watts;
}

/* What the counter stands at now, uncut, and the tick that it stands for: lets settings change without a jump. */
EXPORT double standin_counter_mj(void *opened, int index, int64_t *tick_ns) {
    struct view *view = opened;
    struct gpu gpu;
    const struct log *log = ready(view, index, &gpu);
    int64_t now = now_of(view->control);
    double mj = counter_mj(&gpu, log, now, gpu.counter_is_module);
    *tick_ns = published_tick(&gpu, now > gpu.counter_frozen_ns ? gpu.counter_frozen_ns : now);
    pthread_mutex_unlock(&view->lock);
    return mj;
}

/* ---- NVML: state and the way into a call --------------------------------------------------------------------- */

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6,
       INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9, GPU_IS_LOST = 15, VERSION_MISMATCH = 25 };

struct device {
    char place; /* a handle is the device's place in the array, and nothing else */
};

static struct device devices[MAX_GPUS];
static pthread_mutex_t state_lock = PTHREAD_MUTEX_INITIALIZER;
static struct view *state; /* replaced views are kept: another thread may still be inside a call */
static int initialised;

/* Look at the file that JOULEBENCH_STANDIN names now. Answers 0, or DRIVER_NOT_LOADED where there is none. */
EXPORT int standin_attach(void) {
    const char *path = getenv("JOULEBENCH_STANDIN");
    struct stat status;
    int rc = SUCCESS;
    pthread_mutex_lock(&state_lock);
    if (path == NULL || stat(path, &status) != 0) rc = DRIVER_NOT_LOADED;
    else if (state == NULL || state->device != status.st_dev || state->inode != status.st_ino) {
        struct view *opened = standin_open(path);
        if (opened == NULL) rc = DRIVER_NOT_LOADED;
        else state = opened;
    }
    pthread_mutex_unlock(&state_lock);
    return rc;
}

/* Forget the control file and every nvmlInit, as if the library had just been loaded. */
EXPORT void standin_detach(void) {
    pthread_mutex_lock(&state_lock);
    state = NULL;
    initialised = 0;
    pthread_mutex_unlock(&state_lock);
}

/* Count a call of a family and answer the error that the test has set for it. */
static int fault_of(struct control *control, enum family family, int index) {
    struct fault *fault = &control->faults[family];
    __atomic_fetch_add(&fault->calls, 1, __ATOMIC_RELAXED);
    int32_t code = __atomic_load_n(&fault->code, __ATOMIC_ACQUIRE);
    if (code == 0 || (fault->gpu >= 0 && fault->gpu != index)) return SUCCESS;
    int64_t call = __atomic_fetch_add(&fault->seen, 1, __ATOMIC_RELAXED) - fault->after;
    return call >= 0 && (fault->times < 0 || call < fault->times) ? code : SUCCESS;
}

static void wait_us(int64_t us) {
    if (us <= 0) return;
    struct timespec rest = {us / 1000000, (us % 1000000) * 1000};
    while (nanosleep(&rest, &rest) != 0) {}
}

struct call {
    struct view *view;
    struct gpu gpu;
    int index;
    int64_t now;
};

/* A call without a device. */
static int enter_system(enum family family, struct call *call) {
    call->view = state;
    if (call->view == NULL || !initialised) return UNINITIALIZED;
    return fault_of(call->view->control, family, -1);
}

/* A call on a device: first the latency, then the clock is read and the settings are copied. */
static int enter(struct device *device, enum family family, struct call *call) {
    call->view = state;
    if (call->view == NULL || !initialised) return UNINITIALIZED;
    struct control *control = call->view->control;
    if (device < devices || device >= devices + control->gpu_count) return INVALID_ARGUMENT;
    call->index = (int)(device - devices);
    wait_us(control->gpus[call->index].latency_us);
    if (family == PROCESSES) wait_us(control->gpus[call->index].process_latency_us);
    call->now = now_of(control);
    copy_settings(control, call->index, &call->gpu);
    if (call->now >= call->gpu.lost_ns) return GPU_IS_LOST;
    return fault_of(control, family, call->index);
}

/* Run one of the sensor's functions on the call's GPU, at the call's time, under the log's lock. */
static double read_w(struct call *call, double (*reading)(const struct gpu *, const struct log *, int64_t)) {
    pthread_mutex_lock(&call->view->lock);
    absorb_events(call->view);
    double watts = reading(&call->gpu, &call->view->logs[call->index], call->now);
    pthread_mutex_unlock(&call->view->lock);
    return watts;
}

static unsigned long long read_mj(struct call *call, bool module) {
    pthread_mutex_lock(&call->view->lock);
    absorb_events(call->view);
    double mj = counter_mj(&call->gpu, &call->view->logs[call->index], call->now, module);
    pthread_mutex_unlock(&call->view->lock);
    unsigned long long whole_mj = (unsigned long long)floor(mj + 1e-6); /* so that 0.1 as a double does not cost a mJ */
    return call->gpu.counter_wraps_mj > 0 ? whole_mj % (unsigned long long)call->gpu.counter_wraps_mj : whole_mj;
}

static int copy_text(char *to, unsigned room, const char *text) {
    if (to == NULL) return INVALID_ARGUMENT;
    if (strlen(text) + 1 > room) return INSUFFICIENT_SIZE;
    strcpy(to, text);
    return SUCCESS;
}

#define ENTER(family)                             \
    struct call call;                             \
    int rc = enter(device, family, &call);        \
    if (rc != SUCCESS) return rc

#define ENTER_SYSTEM(family)                      \
    struct call call;                             \
    int rc = enter_system(family, &call);         \
    if (rc != SUCCESS) return rc

/* A getter of one value, of a pair, of a text; and a setter, which a user without root may not call. */
#define GET(name, family, type, value)                             \
    EXPORT int name(struct device *device, type *out) {            \
        ENTER(family);                                             \
        if (out == NULL) return INVALID_ARGUMENT;                  \
        *out = (type)(value);                                      \
        return SUCCESS;                                            \
    }
#define GET_PAIR(name, family, type, first, second)                \
    EXPORT int name(struct device *device, type *a, type *b) {     \
        ENTER(family);                                             \
        if (a == NULL || b == NULL) return INVALID_ARGUMENT;       \
        *a = (type)(first);                                        \
        *b = (type)(second);                                       \
        return SUCCESS;                                            \
    }
#define GET_TEXT(name, text)                                       \
    EXPORT int name(struct device *device, char *out, unsigned n) { \
        ENTER(INFO);                                               \
        return copy_text(out, n, text);                            \
    }
#define REFUSE(name, family, ...)                                  \
    EXPORT int name(struct device *device, __VA_ARGS__) {          \
        ENTER(family);                                             \
        return NO_PERMISSION;                                      \
    }

/* ---- NVML: library and system -------------------------------------------------------------------------------- */

EXPORT int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    int rc = standin_attach();
    if (rc != SUCCESS) return rc;
    rc = fault_of(state->control, INIT, -1);
    if (rc != SUCCESS) return rc;
    pthread_mutex_lock(&state_lock);
    initialised++;
    pthread_mutex_unlock(&state_lock);
    return SUCCESS;
}

EXPORT int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
EXPORT int nvmlInit(void) { return nvmlInitWithFlags(0); }

EXPORT int nvmlShutdown(void) {
    pthread_mutex_lock(&state_lock);
    int rc = initialised > 0 ? SUCCESS : UNINITIALIZED;
    if (initialised > 0) initialised--;
    pthread_mutex_unlock(&state_lock);
    return rc;
}

EXPORT const char *nvmlErrorString(int code) {
    static const char *const texts[] = {
        "The operation was successful", "Uninitialized", "Invalid Argument", "Not Supported",
        "Insufficient Permissions", "Already Initialized", "Not Found", "Insufficient Size",
        "Insufficient External Power", "Driver Not Loaded", "Timeout", "Interrupt Request Issue",
        "NVML Shared Library Not Found", "Function Not Found", "Corrupted infoROM", "GPU is lost",
        "GPU requires reset", "The operating system has blocked the request.",
        "RM has detected an NVML/RM version mismatch.",
        "In use by another client", "Insufficient Memory", "No data", "VGPU ECC not supported", "Insufficient Resources",
        "Frequency not supported", "Argument version mismatch", "Deprecated", "Not ready", "GPU not found",
        "Invalid state", "Reset type not supported"};
    if (code < 0 || code >= (int)(sizeof texts / sizeof *texts)) return "Unknown Error";
    return texts[code];
}

EXPORT int nvmlSystemGetDriverVersion(char *out, unsigned n) {
    ENTER_SYSTEM(INFO);
    return copy_text(out, n, call.view->control->driver_version);
}

EXPORT int nvmlSystemGetNVMLVersion(char *out, unsigned n) {
    ENTER_SYSTEM(INFO);
    return copy_text(out, n, call.view->control->nvml_version);
}

EXPORT int nvmlSystemGetCudaDriverVersion_v2(int *version) {
    ENTER_SYSTEM(INFO);
    *version = call.view->control->cuda_version;
    return SUCCESS;
}

EXPORT int nvmlSystemGetCudaDriverVersion(int *version) { return nvmlSystemGetCudaDriverVersion_v2(version); }

/* ---- NVML: count and handles --------------------------------------------------------------------------------- */

EXPORT int nvmlDeviceGetCount_v2(unsigned *count) {
    ENTER_SYSTEM(HANDLE);
    *count = call.view->control->gpu_count;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetCount(unsigned *count) { return nvmlDeviceGetCount_v2(count); }

EXPORT int nvmlDeviceGetHandleByIndex_v2(unsigned index, struct device **out) {
    if (state == NULL || !initialised) return UNINITIALIZED;
    if (out == NULL || index >= state->control->gpu_count) return INVALID_ARGUMENT;
    struct device *device = &devices[index];
    ENTER(HANDLE);
    *out = device;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetHandleByIndex(unsigned index, struct device **out) {
    return nvmlDeviceGetHandleByIndex_v2(index, out);
}

static int handle_where(const char *text, bool (*matches)(int, const char *), struct device **out) {
    if (state == NULL || !initialised) return UNINITIALIZED;
    if (text == NULL) return INVALID_ARGUMENT;
    for (unsigned i = 0; i < state->control->gpu_count; i++)
        if (matches((int)i, text)) return nvmlDeviceGetHandleByIndex_v2(i, out);
    return NOT_FOUND;
}

static bool uuid_matches(int index, const char *text) { return !strcmp(state->control->gpus[index].uuid, text); }
static bool serial_matches(int index, const char *text) { return !strcmp(state->control->gpus[index].serial, text); }

/* GPU i sits at bus i + 1; the domain may have four digits or eight. */
static bool bus_matches(int index, const char *text) {
    unsigned domain, bus, slot, function = 0;
    return sscanf(text, "%x:%x:%x.%x", &domain, &bus, &slot, &function) >= 3 && domain == 0 &&
           bus == (unsigned)index + 1 && slot == 0 && function == 0;
}

EXPORT int nvmlDeviceGetHandleByUUID(const char *uuid, struct device **out) {
    return handle_where(uuid, uuid_matches, out);
}

EXPORT int nvmlDeviceGetHandleBySerial(const char *serial, struct device **out) {
    return handle_where(serial, serial_matches, out);
}

EXPORT int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, struct device **out) {
    return handle_where(bus, bus_matches, out);
}

EXPORT int nvmlDeviceGetHandleByPciBusId(const char *bus, struct device **out) {
    return handle_where(bus, bus_matches, out);
}

/* ---- NVML: what the device is -------------------------------------------------------------------------------- */

struct pci_info {
    char legacy_id[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char id[32];
};

EXPORT int nvmlDeviceGetPciInfo_v3(struct device *device, struct pci_info *out) {
    ENTER(INFO);
    if (out == NULL) return INVALID_ARGUMENT;
    *out = (struct pci_info){.bus = (unsigned)call.index + 1, .device_id = 0x233510de, .subsystem_id = 0x18be10de};
    snprintf(out->legacy_id, sizeof out->legacy_id, "0000:%02X:00.0", out->bus & 0xff);
    snprintf(out->id, sizeof out->id, "00000000:%02X:00.0", out->bus & 0xff);
    return SUCCESS;
}

EXPORT int nvmlDeviceGetPciInfo_v2(struct device *device, struct pci_info *out) {
    return nvmlDeviceGetPciInfo_v3(device, out);
}

EXPORT int nvmlDeviceGetPciInfo(struct device *device, struct pci_info *out) {
    return nvmlDeviceGetPciInfo_v3(device, out);
}

GET_TEXT(nvmlDeviceGetName, call.gpu.name)
GET_TEXT(nvmlDeviceGetUUID, call.gpu.uuid)
GET_TEXT(nvmlDeviceGetSerial, call.gpu.serial)
GET_TEXT(nvmlDeviceGetBoardPartNumber, call.gpu.board_part_number)
GET_TEXT(nvmlDeviceGetVbiosVersion, "96.00.00.00.01")
GET_TEXT(nvmlDeviceGetInforomImageVersion, "G520.0200.00.05")
GET(nvmlDeviceGetIndex, INFO, unsigned, call.index)
GET(nvmlDeviceGetMinorNumber, INFO, unsigned, call.index)
GET(nvmlDeviceGetBoardId, INFO, unsigned, 0x100 * (call.index + 1))
GET(nvmlDeviceGetMultiGpuBoard, INFO, unsigned, 0)
GET(nvmlDeviceGetBrand, INFO, unsigned, 14) /* NVML_BRAND_NVIDIA */
GET(nvmlDeviceGetArchitecture, INFO, unsigned, call.gpu.architecture)
GET(nvmlDeviceGetPersistenceMode, INFO, unsigned, call.gpu.persistence_mode)
GET(nvmlDeviceGetComputeMode, INFO, unsigned, call.gpu.compute_mode)
GET(nvmlDeviceGetNumGpuCores, INFO, unsigned, 16896)
GET(nvmlDeviceGetMemoryBusWidth, INFO, unsigned, 6144)
GET(nvmlDeviceGetMaxPcieLinkGeneration, INFO, unsigned, 5)
GET(nvmlDeviceGetCurrPcieLinkGeneration, INFO, unsigned, 5)
GET(nvmlDeviceGetMaxPcieLinkWidth, INFO, unsigned, 16)
GET(nvmlDeviceGetCurrPcieLinkWidth, INFO, unsigned, 16)
GET_PAIR(nvmlDeviceGetCudaComputeCapability, INFO, int, call.gpu.capability_major, call.gpu.capability_minor)
GET_PAIR(nvmlDeviceGetEccMode, INFO, unsigned, 1, 1)
REFUSE(nvmlDeviceSetPersistenceMode, INFO, unsigned mode __attribute__((unused)))

/* ---- NVML: energy and power ---------------------------------------------------------------------------------- */

EXPORT int nvmlDeviceGetTotalEnergyConsumption(struct device *device, unsigned long long *mj) {
    ENTER(ENERGY);
    if (mj == NULL) return INVALID_ARGUMENT;
    if (!call.gpu.counter_supported) return NOT_SUPPORTED;
    *mj = read_mj(&call, call.gpu.counter_is_module);
    return SUCCESS;
}

GET(nvmlDeviceGetPowerUsage, POWER, unsigned,
    llround(1e3 * read_w(&call, call.gpu.usage_is_instant ? instant_w : average_w)))
GET(nvmlDeviceGetPowerManagementMode, POWER, unsigned, 1)

GET(nvmlDeviceGetPowerManagementLimit, LIMITS, unsigned, call.gpu.power_limit_mw)
GET(nvmlDeviceGetPowerManagementDefaultLimit, LIMITS, unsigned, call.gpu.power_limit_default_mw)
GET(nvmlDeviceGetEnforcedPowerLimit, LIMITS, unsigned, call.gpu.power_limit_mw)
GET_PAIR(nvmlDeviceGetPowerManagementLimitConstraints, LIMITS, unsigned, call.gpu.power_limit_min_mw,
         call.gpu.power_limit_max_mw)
REFUSE(nvmlDeviceSetPowerManagementLimit, LIMITS, unsigned limit __attribute__((unused)))

struct field_value {
    uint32_t id, scope;
    int64_t timestamp_us, latency_us;
    uint32_t type;
    int32_t rc;
    union {
        unsigned ui;
        unsigned long long ull;
    } value;
};

enum { UNSIGNED_INT = 1, UNSIGNED_LONG_LONG = 3, SCOPE_GPU = 0, SCOPE_MODULE = 1 };

static int field_ui(struct field_value *field, unsigned value) {
    field->type = UNSIGNED_INT;
    field->value.ui = value;
    return SUCCESS;
}

/* 83 has no scope: it says what the device's counter says. 191 is asked for a scope. */
static int field_energy(struct call *call, struct field_value *field) {
    int rc = fault_of(call->view->control, ENERGY, call->index);
    if (rc != SUCCESS) return rc;
    if (!call->gpu.counter_supported) return NOT_SUPPORTED;
    bool module = field->id == 83 ? call->gpu.counter_is_module : field->scope == SCOPE_MODULE;
    field->type = UNSIGNED_LONG_LONG;
    field->value.ull = read_mj(call, module);
    return SUCCESS;
}

static int field_power(struct call *call, struct field_value *field) {
    int rc = fault_of(call->view->control, POWER, call->index);
    if (rc != SUCCESS) return rc;
    double watts = read_w(call, field->id == 185 ? average_w : instant_w);
    if (field->scope == SCOPE_MODULE) watts += call->gpu.gain * call->gpu.module_extra_w;
    return field_ui(field, (unsigned)llround(1e3 * watts));
}

static int field_read(struct call *call, struct field_value *field) {
    for (int i = 0; i < MAX_UNSUPPORTED; i++)
        if (field->id != 0 && field->id == call->gpu.unsupported_fields[i]) return NOT_SUPPORTED;
    bool scoped = field->id == 185 || field->id == 186 || field->id == 191;
    if (scoped && field->scope != SCOPE_GPU && !(field->scope == SCOPE_MODULE && call->gpu.module_scope))
        return NOT_SUPPORTED;
    switch (field->id) {
    case 83:  /* TOTAL_ENERGY_CONSUMPTION */
    case 191: /* ENERGY */
        return field_energy(call, field);
    case 185: /* POWER_AVERAGE */
    case 186: /* POWER_INSTANT */
        return field_power(call, field);
    case 187: return field_ui(field, call->gpu.power_limit_min_mw);
    case 188: return field_ui(field, call->gpu.power_limit_max_mw);
    case 189: return field_ui(field, call->gpu.power_limit_default_mw);
    case 190: /* POWER_CURRENT_LIMIT */
    case 192: /* POWER_REQUESTED_LIMIT */
        return field_ui(field, call->gpu.power_limit_mw);
    default: return NOT_SUPPORTED;
    }
}

/* The time stamped on a field is the call's, in us since 1970; under the virtual clock, virtual us. */
static int64_t stamp_us(const struct call *call) {
    if (call->view->control->virtual_clock) return call->now / 1000;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

EXPORT int nvmlDeviceGetFieldValues(struct device *device, int count, struct field_value *fields) {
    ENTER(FIELDS);
    if (fields == NULL || count < 1) return INVALID_ARGUMENT;
    for (int i = 0; i < count; i++) {
        fields[i].timestamp_us = stamp_us(&call);
        fields[i].latency_us = call.gpu.latency_us;
        fields[i].rc = field_read(&call, &fields[i]);
    }
    return SUCCESS;
}

/* ---- NVML: temperature, clocks, reasons, utilisation --------------------------------------------------------- */

struct temperature_v1 {
    unsigned version, sensor;
    int celsius;
};

EXPORT int nvmlDeviceGetTemperature(struct device *device, unsigned sensor, unsigned *celsius) {
    ENTER(TEMPERATURE);
    if (sensor != 0 || celsius == NULL) return INVALID_ARGUMENT;
    *celsius = call.gpu.temperature_c;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetTemperatureV(struct device *device, struct temperature_v1 *out) {
    ENTER(TEMPERATURE);
    if (out == NULL || out->sensor != 0) return INVALID_ARGUMENT;
    if (out->version != 0x100000C) return VERSION_MISMATCH;
    out->celsius = (int)call.gpu.temperature_c;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetTemperatureThreshold(struct device *device, unsigned which, unsigned *celsius) {
    ENTER(TEMPERATURE);
    if (celsius == NULL) return INVALID_ARGUMENT;
    if (which > 1) return NOT_SUPPORTED;
    *celsius = which == 0 ? call.gpu.shutdown_temperature_c : call.gpu.slowdown_temperature_c;
    return SUCCESS;
}

/* Clock types: 0 graphics, 1 SM, 2 memory, 3 video. */
EXPORT int nvmlDeviceGetClockInfo(struct device *device, unsigned type, unsigned *mhz) {
    ENTER(CLOCKS);
    if (type > 3 || mhz == NULL) return INVALID_ARGUMENT;
    *mhz = type == 2 ? call.gpu.memory_clock_mhz : call.gpu.sm_clock_mhz;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMaxClockInfo(struct device *device, unsigned type, unsigned *mhz) {
    ENTER(CLOCKS);
    if (type > 3 || mhz == NULL) return INVALID_ARGUMENT;
    *mhz = type == 2 ? call.gpu.memory_clock_max_mhz : call.gpu.sm_clock_max_mhz;
    return SUCCESS;
}

EXPORT int nvmlDeviceGetClock(struct device *device, unsigned type, unsigned id, unsigned *mhz) {
    if (id == 0) return nvmlDeviceGetClockInfo(device, type, mhz);
    ENTER(CLOCKS);
    return NOT_SUPPORTED;
}

REFUSE(nvmlDeviceSetGpuLockedClocks, CLOCKS, unsigned low __attribute__((unused)),
       unsigned high __attribute__((unused)))
GET(nvmlDeviceGetPerformanceState, CLOCKS, unsigned, call.gpu.performance_state)
GET(nvmlDeviceGetPowerState, CLOCKS, unsigned, call.gpu.performance_state)
GET(nvmlDeviceGetCurrentClocksEventReasons, REASONS, unsigned long long, call.gpu.reasons)
GET(nvmlDeviceGetCurrentClocksThrottleReasons, REASONS, unsigned long long, call.gpu.reasons)
GET(nvmlDeviceGetSupportedClocksEventReasons, REASONS, unsigned long long, call.gpu.supported_reasons)
GET(nvmlDeviceGetSupportedClocksThrottleReasons, REASONS, unsigned long long, call.gpu.supported_reasons)

struct utilization {
    unsigned gpu, memory;
};

EXPORT int nvmlDeviceGetUtilizationRates(struct device *device, struct utilization *out) {
    ENTER(UTILISATION);
    if (out == NULL) return INVALID_ARGUMENT;
    *out = (struct utilization){call.gpu.utilisation_percent, call.gpu.memory_utilisation_percent};
    return SUCCESS;
}

/* ---- NVML: memory -------------------------------------------------------------------------------------------- */

struct memory_v1 {
    unsigned long long total, free, used;
};

struct memory_v2 {
    unsigned version;
    unsigned long long total, reserved, free, used;
};

EXPORT int nvmlDeviceGetMemoryInfo(struct device *device, struct memory_v1 *out) {
    ENTER(MEMORY);
    if (out == NULL) return INVALID_ARGUMENT;
    const struct gpu *gpu = &call.gpu;
    uint64_t used = gpu->memory_used_bytes + gpu->memory_reserved_bytes;
    *out = (struct memory_v1){gpu->memory_total_bytes, gpu->memory_total_bytes - used, used};
    return SUCCESS;
}

EXPORT int nvmlDeviceGetMemoryInfo_v2(struct device *device, struct memory_v2 *out) {
    ENTER(MEMORY);
    if (out == NULL) return INVALID_ARGUMENT;
    if (out->version != 0x02000028) return VERSION_MISMATCH;
    const struct gpu *gpu = &call.gpu;
    out->total = gpu->memory_total_bytes;
    out->reserved = gpu->memory_reserved_bytes;
    out->used = gpu->memory_used_bytes;
    out->free = out->total - out->reserved - out->used;
    return SUCCESS;
}

/* ---- NVML: processes ----------------------------------------------------------------------------------------- */

struct process_v1 {
    unsigned pid;
    unsigned long long used;
};

struct process_v2 {
    unsigned pid;
    unsigned long long used;
    unsigned gpu_instance, compute_instance;
};

enum list { COMPUTE, GRAPHICS, MPS };

static int processes(struct device *device, enum list list, bool v1, unsigned *count, void *out) {
    ENTER(PROCESSES);
    if (count == NULL) return INVALID_ARGUMENT;
    const struct process *found = list == COMPUTE ? call.gpu.compute : call.gpu.graphics;
    unsigned n = list == COMPUTE ? call.gpu.compute_count : list == GRAPHICS ? call.gpu.graphics_count : 0;
    if (n > MAX_PROCESSES) n = MAX_PROCESSES;
    unsigned room = *count;
    *count = n;
    if (room < n || (n > 0 && out == NULL)) return INSUFFICIENT_SIZE;
    for (unsigned i = 0; i < n; i++) {
        if (v1) ((struct process_v1 *)out)[i] = (struct process_v1){found[i].pid, found[i].used_bytes};
        else ((struct process_v2 *)out)[i] = (struct process_v2){found[i].pid, found[i].used_bytes, ~0u, ~0u};
    }
    return SUCCESS;
}

#define PROCESS_LIST(name, list, v1)                                            \
    EXPORT int name(struct device *device, unsigned *count, void *out) {        \
        return processes(device, list, v1, count, out);                         \
    }

PROCESS_LIST(nvmlDeviceGetComputeRunningProcesses, COMPUTE, true)
PROCESS_LIST(nvmlDeviceGetComputeRunningProcesses_v2, COMPUTE, false)
PROCESS_LIST(nvmlDeviceGetComputeRunningProcesses_v3, COMPUTE, false)
PROCESS_LIST(nvmlDeviceGetGraphicsRunningProcesses, GRAPHICS, true)
PROCESS_LIST(nvmlDeviceGetGraphicsRunningProcesses_v2, GRAPHICS, false)
PROCESS_LIST(nvmlDeviceGetGraphicsRunningProcesses_v3, GRAPHICS, false)
PROCESS_LIST(nvmlDeviceGetMPSComputeRunningProcesses, MPS, true)
PROCESS_LIST(nvmlDeviceGetMPSComputeRunningProcesses_v2, MPS, false)
PROCESS_LIST(nvmlDeviceGetMPSComputeRunningProcesses_v3, MPS, false)

/* ---- NVML: MIG and links ------------------------------------------------------------------------------------- */

EXPORT int nvmlDeviceGetMigMode(struct device *device, unsigned *current, unsigned *pending) {
    ENTER(MIG);
    if (current == NULL || pending == NULL) return INVALID_ARGUMENT;
    if (call.gpu.mig_mode < 0) return NOT_SUPPORTED;
    *current = *pending = (unsigned)call.gpu.mig_mode;
    return SUCCESS;
}

GET(nvmlDeviceIsMigDeviceHandle, MIG, unsigned, 0)
GET(nvmlDeviceGetMaxMigDeviceCount, MIG, unsigned, call.gpu.mig_mode < 0 ? 0 : 7)

EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(struct device *device, unsigned index, struct device **out) {
    (void)index, (void)out;
    ENTER(MIG);
    return NOT_FOUND;
}

EXPORT int nvmlDeviceGetNvLinkState(struct device *device, unsigned link, unsigned *active) {
    (void)link, (void)active;
    ENTER(INFO);
    return NOT_SUPPORTED;
}

EXPORT int nvmlDeviceGetNvLinkRemoteDeviceType(struct device *device, unsigned link, unsigned *type) {
    (void)link, (void)type;
    ENTER(INFO);
    return NOT_SUPPORTED;
}

EXPORT int nvmlDeviceGetNvLinkRemotePciInfo_v2(struct device *device, unsigned link, struct pci_info *out) {
    (void)link, (void)out;
    ENTER(INFO);
    return NOT_SUPPORTED;
}

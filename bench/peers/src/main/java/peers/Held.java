package peers;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** The one item that takes long: the first that is begun so long after the first of all. */
final class Held {
    /** What is written into it, in the place of when it was sent. */
    static final long SENT = -1;

    private final long after;
    private final int millis;
    private final AtomicLong began = new AtomicLong(0);
    private final AtomicBoolean isOver = new AtomicBoolean(false);

    /** Milliseconds both; none is held for 0. */
    Held(int after, int millis) {
        this.after = TimeUnit.MILLISECONDS.toNanos(after);
        this.millis = millis;
    }

    int millis() {
        return millis;
    }

    /** Whether it is this one that is begun now. */
    boolean isThis() {
        if (millis == 0 || isOver.get()) {
            return false;
        }
        long now = System.nanoTime();
        began.compareAndSet(0, now);
        return now - began.get() >= after && isOver.compareAndSet(false, true);
    }
}

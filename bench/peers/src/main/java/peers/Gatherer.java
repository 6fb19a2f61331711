package peers;

import bench.Gathered;
import bench.Open;
import bench.Part;
import bench.Work;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Keeps the parts of each open group, and puts their items into one record when all are there. */
final class Gatherer extends ContextualProcessor<String, Part, String, Gathered> {
    static final String STORE = "open-groups";

    /** The number of what opens a group, which is no part. */
    private static final int OPENING = -1;

    private KeyValueStore<String, Open> groups;

    @Override
    public void init(ProcessorContext<String, Gathered> context) {
        super.init(context);
        groups = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<String, Part> record) {
        String id = record.key();
        Part part = record.value();
        if (part.getNumber() == OPENING) {
            groups.put(id, new Open(part.getOf(), new ArrayList<>(), new ArrayList<>()));
            return;
        }
        Open group = groups.get(id);
        if (group == null) {
            throw new IllegalStateException("a part of group " + id + ", which isn't open");
        }
        if (group.getNumbers().contains(part.getNumber())) {
            return;
        }
        group.getNumbers().add(part.getNumber());
        group.getPayloads().add(part.getPayload());
        if (group.getNumbers().size() < group.getOf()) {
            groups.put(id, group);
            return;
        }
        groups.delete(id);
        context().forward(record.withValue(gathered(group)));
    }

    private static Gathered gathered(Open group) {
        Work[] items = new Work[group.getOf()];
        for (int index = 0; index < items.length; index++) {
            items[group.getNumbers().get(index)] = item(group, index);
        }
        List<Long> sequences = new ArrayList<>(items.length);
        List<String> payloads = new ArrayList<>(items.length);
        Arrays.stream(items).forEach(item -> {
            sequences.add(item.getSequence());
            payloads.add(item.getPayload());
        });
        return new Gathered(items[0].getKey(), sequences, payloads);
    }

    private static Work item(Open group, int index) {
        try {
            return Work.getDecoder().decode(group.getPayloads().get(index));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
